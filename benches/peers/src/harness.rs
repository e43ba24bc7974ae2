//! The method: every entrant of a work is calibrated, then all are sampled in interleaved rounds, so that whatever else
//! the machine does meets all of them alike. What counts is the median.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// The system's allocator. It counts the allocations of all threads, but only in the one pass that is not timed.
#[derive(Debug)]
pub(crate) struct Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

fn note() {
    if COUNTS.load(Relaxed) {
        ALLOCATIONS.fetch_add(1, Relaxed);
    }
}

// SAFETY: each call is passed on as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, len: usize) -> *mut u8 {
        note();
        unsafe { System.realloc(block, layout, len) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe { System.dealloc(block, layout) }
    }
}

/// What an entrant measures itself with: only what runs inside counts, not what it prepares.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    spent: Duration,
    allocations: u64,
}

impl Meter {
    /// Runs `work` and adds the time it took by the clock on the wall.
    pub(crate) fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let allocations = ALLOCATIONS.load(Relaxed);
        let started = Instant::now();
        let done = work();
        self.spent += started.elapsed();
        self.allocations += ALLOCATIONS.load(Relaxed) - allocations;
        done
    }

    /// Runs `work` and adds the processor time that all threads of this process took, in user and in system mode.
    pub(crate) fn cpu<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let allocations = ALLOCATIONS.load(Relaxed);
        let started = process_cpu();
        let done = work();
        self.spent += process_cpu() - started;
        self.allocations += ALLOCATIONS.load(Relaxed) - allocations;
        done
    }
}

fn process_cpu() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes a timespec, and this is one.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0, "the clock of the process");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Ours,
    Rival,
    Floor,
}

/// Does an operation so many times, and measures it.
type Body<'a> = Box<dyn FnMut(&mut Meter, u64) + 'a>;

struct Entrant<'a> {
    role: Role,
    who: String,
    crypto: &'static str,
    /// Allocates where nobody can count, in C.
    uncounted: bool,
    body: Body<'a>,
}

/// The same thing to do for several libraries.
pub(crate) struct Work<'a> {
    title: String,
    entrants: Vec<Entrant<'a>>,
}

impl<'a> Work<'a> {
    /// `title` says what is done and how much of it; `crypto` of each entrant says with whose cryptography.
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            entrants: Vec::new(),
        }
    }

    /// Adds rtckit.
    pub(crate) fn ours(
        &mut self,
        who: impl Into<String>,
        crypto: &'static str,
        body: impl FnMut(&mut Meter, u64) + 'a,
    ) {
        self.enter(Role::Ours, who.into(), crypto, Box::new(body));
    }

    /// Adds a library that does the same work.
    pub(crate) fn rival(
        &mut self,
        who: impl Into<String>,
        crypto: &'static str,
        body: impl FnMut(&mut Meter, u64) + 'a,
    ) {
        self.enter(Role::Rival, who.into(), crypto, Box::new(body));
    }

    /// Adds what the work cannot do without, and nothing else.
    pub(crate) fn floor(
        &mut self,
        who: impl Into<String>,
        crypto: &'static str,
        body: impl FnMut(&mut Meter, u64) + 'a,
    ) {
        self.enter(Role::Floor, who.into(), crypto, Box::new(body));
    }

    /// Says of the last entrant that its allocations cannot be counted.
    #[cfg(feature = "libsrtp")]
    pub(crate) fn uncounted(&mut self) {
        if let Some(last) = self.entrants.last_mut() {
            last.uncounted = true;
        }
    }

    /// Keeps only who is asked for; whether anything is left to do.
    pub(crate) fn narrow(&mut self, title: &str, who: &str) -> bool {
        self.entrants.retain(|entrant| entrant.who.contains(who));
        self.title.contains(title) && !self.entrants.is_empty()
    }

    fn enter(&mut self, role: Role, who: String, crypto: &'static str, body: Body<'a>) {
        self.entrants.push(Entrant {
            role,
            who,
            crypto,
            uncounted: false,
            body,
        });
    }
}

/// An operation in a loop, timed as a whole.
pub(crate) fn repeat<T>(mut operation: impl FnMut() -> T) -> impl FnMut(&mut Meter, u64) {
    move |meter, times| {
        meter.time(|| {
            for _ in 0..times {
                std::hint::black_box(operation());
            }
        });
    }
}

/// One line of the result.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) group: &'static str,
    pub(crate) case: String,
    pub(crate) who: String,
    pub(crate) ours: bool,
    pub(crate) floor: bool,
    /// For one operation.
    pub(crate) median_ns: f64,
    /// For one operation; none where they cannot be counted.
    pub(crate) allocs: Option<f64>,
    /// The own median by that of the fastest rival of this case: 0.5 is twice as fast.
    pub(crate) ratio_to_best_rival: Option<f64>,
}

/// What one sample should take: less than the slice of time that a busy machine's scheduler gives, so that most samples
/// are whole.
const SAMPLE: Duration = Duration::from_micros(500);

/// A row before the cases are known.
struct Measured {
    role: Role,
    who: String,
    crypto: &'static str,
    median_ns: f64,
    allocs: Option<f64>,
}

/// Runs a work and sorts what came out into cases.
pub(crate) fn run(group: &'static str, mut work: Work<'_>, rounds: usize) -> Vec<Row> {
    let progress = progress(group, &work, rounds);
    let counts: Vec<(u64, Option<f64>)> = work
        .entrants
        .iter_mut()
        .map(|entrant| {
            let times = calibrate(&mut entrant.body, SAMPLE);
            let allocs = (!entrant.uncounted).then(|| allocations(&mut entrant.body, times));
            progress.inc(1);
            (times, allocs)
        })
        .collect();

    let len = work.entrants.len();
    let mut samples = vec![Vec::with_capacity(rounds); len];
    for round in 0..rounds {
        // each round starts with another: nobody always comes after the same neighbour
        for turn in 0..len {
            let at = (round + turn) % len;
            let times = counts[at].0;
            let mut meter = Meter::default();
            (work.entrants[at].body)(&mut meter, times);
            samples[at].push(meter.spent.as_nanos() as f64 / times as f64);
            progress.inc(1);
        }
    }
    progress.finish_and_clear();

    let measured: Vec<Measured> = work
        .entrants
        .iter()
        .zip(samples)
        .zip(counts)
        .map(|((entrant, samples), (_, allocs))| Measured {
            role: entrant.role,
            who: entrant.who.clone(),
            crypto: entrant.crypto,
            median_ns: median(samples),
            allocs,
        })
        .collect();
    cases(group, &work.title, &measured)
}

/// How often an operation fits into a sample. What takes longer than that, on the wall, is done once.
fn calibrate(body: &mut Body<'_>, sample: Duration) -> u64 {
    let mut times = 1;
    loop {
        // the best of a few: who was interrupted once should not be taken for slow
        let tries = (0..4).map(|_| {
            let started = Instant::now();
            let mut meter = Meter::default();
            body(&mut meter, times);
            (meter.spent, started.elapsed())
        });
        let (spent, elapsed) = tries
            .reduce(|a, b| (a.0.min(b.0), a.1.min(b.1)))
            .unwrap_or_default();
        if spent >= sample / 4 {
            let one = spent.as_secs_f64() / times as f64;
            return ((sample.as_secs_f64() / one) as u64).clamp(1, times * 8);
        }
        if elapsed >= sample * 8 {
            return times;
        }
        times *= 2;
    }
}

fn allocations(body: &mut Body<'_>, times: u64) -> f64 {
    let mut meter = Meter::default();
    COUNTS.store(true, Relaxed);
    body(&mut meter, times);
    COUNTS.store(false, Relaxed);
    meter.allocations as f64 / times as f64
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Who uses the same cryptography stands in one case; and where libraries bring different ones, all stand in another.
fn cases(group: &'static str, title: &str, measured: &[Measured]) -> Vec<Row> {
    let mut cryptos: Vec<&str> = Vec::new();
    for entrant in measured {
        if !cryptos.contains(&entrant.crypto) {
            cryptos.push(entrant.crypto);
        }
    }
    let has = |crypto: &str, role: Role| {
        let mut all = measured.iter();
        all.any(|entrant| entrant.crypto == crypto && entrant.role == role)
    };
    let mut rows = Vec::new();
    for crypto in &cryptos {
        if has(crypto, Role::Ours) {
            let same = measured.iter().filter(|entrant| entrant.crypto == *crypto);
            let who = |entrant: &Measured| entrant.who.clone();
            rows.extend(case(group, format!("{title}, {crypto}"), same, who));
        }
    }
    if cryptos.len() > 1 {
        let who = |entrant: &Measured| format!("{} ({})", entrant.who, entrant.crypto);
        rows.extend(case(
            group,
            format!("{title}, any crypto"),
            measured.iter(),
            who,
        ));
    }
    rows
}

fn case<'m>(
    group: &'static str,
    case: String,
    entrants: impl Iterator<Item = &'m Measured> + Clone,
    who: impl Fn(&Measured) -> String,
) -> impl Iterator<Item = Row> {
    let rivals = entrants.clone().filter(|it| it.role == Role::Rival);
    let best = rivals.map(|it| it.median_ns).reduce(f64::min);
    entrants.map(move |entrant| {
        let floor = entrant.role == Role::Floor;
        Row {
            group,
            case: case.clone(),
            who: who(entrant),
            ours: entrant.role == Role::Ours,
            floor,
            median_ns: rounded(entrant.median_ns, 10.0),
            allocs: entrant.allocs.map(|allocs| rounded(allocs, 100.0)),
            ratio_to_best_rival: best
                .filter(|_| !floor)
                .map(|best| rounded(entrant.median_ns / best, 1000.0)),
        }
    })
}

fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

/// On stderr, and only if that is a terminal.
fn progress(group: &str, work: &Work<'_>, rounds: usize) -> ProgressBar {
    let steps = work.entrants.len() * (rounds + 1);
    let style = ProgressStyle::with_template("{prefix:>8} {bar:30} {pos}/{len} {msg}");
    ProgressBar::new(steps as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_prefix(group.to_owned())
        .with_message(work.title.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(role: Role, crypto: &'static str, median_ns: f64) -> Measured {
        Measured {
            role,
            who: format!("{role:?}"),
            crypto,
            median_ns,
            allocs: Some(0.0),
        }
    }

    #[test]
    fn ratios_are_to_the_fastest_rival_of_the_case() {
        let all = [
            measured(Role::Ours, "ring", 50.0),
            measured(Role::Rival, "ring", 100.0),
            measured(Role::Rival, "other", 80.0),
            measured(Role::Floor, "ring", 10.0),
        ];
        let rows = cases("g", "w", &all);
        let found: Vec<_> = rows
            .iter()
            .map(|row| (row.case.as_str(), row.ratio_to_best_rival))
            .collect();
        assert_eq!(
            found,
            [
                ("w, ring", Some(0.5)),
                ("w, ring", Some(1.0)),
                ("w, ring", None),
                ("w, any crypto", Some(0.625)),
                ("w, any crypto", Some(1.25)),
                ("w, any crypto", Some(1.0)),
                ("w, any crypto", None),
            ]
        );
    }

    #[test]
    fn without_a_rival_there_is_no_ratio() {
        let rows = cases("g", "w", &[measured(Role::Ours, "ring", 50.0)]);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].ratio_to_best_rival, None);
    }

    #[test]
    fn only_what_is_measured_counts() {
        let mut work = Work::new("w");
        work.ours("u", "none", |meter: &mut Meter, times| {
            std::hint::black_box(vec![0_u8; 10]);
            meter.time(|| {
                for _ in 0..times {
                    std::hint::black_box(Box::new(1_u8));
                }
            });
        });
        let rows = run("g", work, 1);
        assert_eq!(rows[0].case, "w, none");
        assert!(rows[0].allocs.is_some_and(|allocs| allocs >= 1.0));
    }
}
