// One way to drive both browsers: headless, with fake devices, and with what a test needs to see.
import puppeteer from 'puppeteer-core';

const CHROMIUM = ['/usr/bin/chromium', [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required',
]];

const FIREFOX = ['/usr/bin/firefox-esr', {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.gmp-manager.updateEnabled': false,
  'app.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
}];

/**
 * Starts a browser: `chromium`, `firefox`, `firefox-dtls12`, which is made to speak DTLS 1.2 only, or `firefox-dark`,
 * which likes its pages dark.
 */
export async function launch(which, viewport) {
  if (which === 'chromium') {
    const [executablePath, args] = CHROMIUM;
    return puppeteer.launch({ executablePath, args, headless: true, defaultViewport: viewport });
  }
  const [executablePath, preferences] = FIREFOX;
  const extraPrefsFirefox = { ...preferences };
  extraPrefsFirefox['layout.css.prefers-color-scheme.content-override'] = which === 'firefox-dark' ? 0 : 1;
  if (which === 'firefox-dtls12') extraPrefsFirefox['media.peerconnection.dtls.version.max'] = 0x0303;
  return puppeteer.launch({
    browser: 'firefox', executablePath, extraPrefsFirefox, headless: true, defaultViewport: viewport,
  });
}

/** Yields the colour schemes a page can be seen in, each once it is: Firefox has the one it was started with. */
export async function* schemes(page, which) {
  if (which !== 'chromium') {
    yield which === 'firefox-dark' ? 'dark' : 'light';
    return;
  }
  for (const value of ['dark', 'light']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);
    yield value;
  }
}

export const sleep = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

/** Waits until `check` gives something. */
export async function until(what, check, seconds) {
  const end = Date.now() + 1000 * seconds;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > end) throw new Error(`after ${seconds} s still no: ${what}`);
    await sleep(100);
  }
}

/**
 * Runs tests, by their names, in one browser, each `test(page)` in a page of its own; prints a line for each. The exit
 * code tells as well.
 */
export async function run(which, viewport, tests) {
  let name = 'to start';
  const expired = () => {
    console.log(`FAIL  ${which}: ${name}: no end within 60 s`);
    process.exit(1);
  };
  let deadline = setTimeout(expired, 60_000);
  let browser;
  try {
    browser = await launch(which, viewport);
    for (const [title, test] of Object.entries(tests)) {
      name = title;
      clearTimeout(deadline);
      deadline = setTimeout(expired, 60_000);
      const page = await browser.newPage();
      page.on('pageerror', error => console.log(`      | ${error.message}`));
      try {
        console.log(`ok    ${which}: ${name}: ${await test(page)}`);
      } catch (error) {
        console.log(`FAIL  ${which}: ${name}: ${error.message}`);
        process.exitCode = 1;
      }
      await page.close();
    }
  } catch (error) {
    console.log(`FAIL  ${which}: ${name}: ${error.message}`);
    process.exitCode = 1;
  }
  await browser?.close().catch(() => {});
  clearTimeout(deadline);
}
