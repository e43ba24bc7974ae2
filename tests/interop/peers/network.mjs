// The packet filter of the network namespace that a test runs in: it makes datagrams get lost.
import { execFileSync } from 'node:child_process';

const nft = rules => execFileSync('nft', ['-f', '-'], { input: rules });

/** Loses what matches, until `heal`. */
export function lose(match) {
  nft(`table inet loss { chain input { type filter hook input priority 0; ${match} drop; }; }`);
}

/** Loses nothing any more. */
export function heal() {
  nft('table inet loss { }; delete table inet loss');
}

/** The port of an address as statistics have it. */
export const port = address => Number(address.slice(address.lastIndexOf(':') + 1));
