//! Who is connected, and who has to go when too many are.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

/// The most connections at a time.
const MAX_CONNECTIONS: usize = 512;

/// Within this time of its connection or its last answer nobody is called silent.
const PATIENCE: Duration = Duration::from_millis(250);

/// All connections, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Crowd(Vec<Member>);

#[derive(Debug)]
struct Member {
    from: IpAddr,
    activity: Arc<Activity>,
    task: AbortHandle,
}

/// What a connection is doing, and since when.
#[derive(Debug)]
pub(crate) struct Activity(Mutex<State>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    /// Whether there is a request that is not answered yet.
    is_asking: bool,
    since: Instant,
}

impl Crowd {
    /// Takes note of a connection.
    pub(crate) fn enter(&mut self, from: IpAddr, activity: Arc<Activity>, task: AbortHandle) {
        self.0.push(Member {
            from,
            activity,
            task,
        });
    }

    /// Forgets the connections that are over. If there are still too many, ends one at once.
    ///
    /// It is one of the address that holds the most, so that nobody keeps out the others alone; of these one that has
    /// been silent, because those who have something to say say it at once; of these the oldest.
    pub(crate) fn make_room(&mut self) {
        if self.0.len() < MAX_CONNECTIONS {
            return;
        }
        self.0.retain(|member| !member.task.is_finished());
        if self.0.len() < MAX_CONNECTIONS {
            return;
        }
        let mut held: HashMap<IpAddr, usize> = HashMap::new();
        for member in &self.0 {
            *held.entry(member.from).or_default() += 1;
        }
        let now = Instant::now();
        let rank = |member: &Member| {
            let state = *member.activity.state();
            let is_silent = !state.is_asking && now.duration_since(state.since) >= PATIENCE;
            (held.get(&member.from).copied(), is_silent)
        };
        // The last of equals would be taken: backwards that is the oldest.
        let worst = self
            .0
            .iter()
            .enumerate()
            .rev()
            .max_by_key(|(_, member)| rank(member));
        if let Some((index, _)) = worst {
            self.0.remove(index).task.abort();
        }
    }
}

impl Activity {
    /// Connected, and silent.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State::now(false)))
    }

    /// A request has come.
    pub(crate) fn begin(&self) {
        *self.state() = State::now(true);
    }

    /// The request is answered.
    pub(crate) fn end(&self) {
        *self.state() = State::now(false);
    }

    /// Waits until for `time` no request has begun or ended.
    pub(crate) async fn stalls(&self, time: Duration) {
        loop {
            let before = *self.state();
            sleep_until(before.since + time).await;
            if *self.state() == before {
                return;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn now(is_asking: bool) -> Self {
        Self {
            is_asking,
            since: Instant::now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;

    use tokio::time::advance;

    use super::*;

    /// Lets somebody in who stays.
    fn enter(crowd: &mut Crowd, host: u8) -> Arc<Activity> {
        crowd.make_room();
        let activity = Arc::new(Activity::new());
        let from = Ipv4Addr::new(192, 0, 2, host);
        let task = tokio::spawn(core::future::pending::<()>());
        crowd.enter(from.into(), Arc::clone(&activity), task.abort_handle());
        activity
    }

    fn holds(crowd: &Crowd, activity: &Arc<Activity>) -> bool {
        crowd
            .0
            .iter()
            .any(|member| Arc::ptr_eq(&member.activity, activity))
    }

    #[tokio::test(start_paused = true)]
    async fn the_silent_go_first_then_the_oldest() {
        let mut crowd = Crowd::default();
        let asking = enter(&mut crowd, 1);
        asking.begin();
        let silent = enter(&mut crowd, 1);
        let silent_too = enter(&mut crowd, 1);
        advance(PATIENCE).await;
        while crowd.0.len() < MAX_CONNECTIONS {
            enter(&mut crowd, 1);
        }
        assert!(holds(&crowd, &silent));
        enter(&mut crowd, 1);
        assert!(!holds(&crowd, &silent) && holds(&crowd, &silent_too));
        enter(&mut crowd, 1);
        assert!(!holds(&crowd, &silent_too) && holds(&crowd, &asking));
        // None of the others has had time to be silent.
        enter(&mut crowd, 1);
        assert!(!holds(&crowd, &asking));
        assert_eq!(crowd.0.len(), MAX_CONNECTIONS);
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_cannot_keep_out_another() {
        let mut crowd = Crowd::default();
        let other = enter(&mut crowd, 2);
        advance(2 * PATIENCE).await;
        for _ in 0..3 * MAX_CONNECTIONS {
            enter(&mut crowd, 1).begin();
        }
        assert!(holds(&crowd, &other));
        assert_eq!(crowd.0.len(), MAX_CONNECTIONS);
    }
}
