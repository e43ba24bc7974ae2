//! Who is on the line.

use core::fmt;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rtckit::PeerConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// All calls, by the names in their URLs.
#[derive(Debug)]
pub(crate) struct Peers {
    calls: Mutex<Calls>,
    slots: Arc<Semaphore>,
    max: usize,
}

#[derive(Debug, Default)]
struct Calls {
    by_name: HashMap<String, Arc<Line>>,
    taken: u64,
}

/// One call, as the HTTP side sees it.
#[derive(Debug)]
pub(crate) struct Line {
    /// Calls are counted from 1.
    pub(crate) number: u64,
    /// Its name in URLs: random, because whoever knows it may hang up.
    pub(crate) name: String,
    pub(crate) connection: PeerConnection,
    end: watch::Sender<Option<Ending>>,
}

/// Why a call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The caller deleted its resource.
    Deleted,
    /// The other side closed the connection (DTLS).
    Closed,
    /// The path was lost: ICE failed, or consent expired; or the handshake failed.
    Lost,
    /// The caller never connected.
    NeverConnected,
    /// The server stops.
    Stopped,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deleted => "the caller hung up",
            Self::Closed => "the caller closed the connection",
            Self::Lost => "the caller is gone",
            Self::NeverConnected => "the caller never connected",
            Self::Stopped => "the server stops",
        })
    }
}

/// The right to one more call. Given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

impl Peers {
    /// Nobody yet, and at most `max` at a time.
    pub(crate) fn new(max: usize) -> Self {
        Self {
            calls: Mutex::default(),
            slots: Arc::new(Semaphore::new(max)),
            max,
        }
    }

    /// Takes a slot, if one is free.
    pub(crate) fn slot(&self) -> Option<Slot> {
        Arc::clone(&self.slots).try_acquire_owned().ok().map(Slot)
    }

    /// Enters a call.
    pub(crate) fn enter(&self, name: String, connection: PeerConnection) -> Arc<Line> {
        let mut calls = self.calls();
        calls.taken += 1;
        let line = Arc::new(Line {
            number: calls.taken,
            name: name.clone(),
            connection,
            end: watch::Sender::new(None),
        });
        calls.by_name.insert(name, Arc::clone(&line));
        line
    }

    /// The call of this name.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Line>> {
        self.calls().by_name.get(name).cloned()
    }

    /// Forgets the call of this name.
    pub(crate) fn forget(&self, name: &str) -> Option<Arc<Line>> {
        self.calls().by_name.remove(name)
    }

    /// Forgets all calls.
    pub(crate) fn forget_all(&self) -> Vec<Arc<Line>> {
        self.calls().by_name.drain().map(|(_, line)| line).collect()
    }

    /// How many calls there are.
    pub(crate) fn count(&self) -> usize {
        self.calls().by_name.len()
    }

    /// How many there were since the start.
    pub(crate) fn taken(&self) -> u64 {
        self.calls().taken
    }

    /// How many there may be.
    pub(crate) fn max(&self) -> usize {
        self.max
    }

    /// Waits until nobody holds a slot.
    pub(crate) async fn all_gone(&self) {
        // The semaphore is never closed, and its permits fit: there are as many as it was made with.
        let all = u32::try_from(self.max).unwrap_or(u32::MAX);
        let _ = self.slots.acquire_many(all).await;
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// Ends the call; the first reason counts.
    pub(crate) fn hang_up(&self, why: Ending) {
        self.end
            .send_if_modified(|end| end.is_none() && end.replace(why).is_none());
    }

    /// Waits until the call is to end.
    pub(crate) async fn ended(&self) -> Ending {
        let mut end = self.end.subscribe();
        match end.wait_for(Option::is_some).await {
            Ok(why) => why.unwrap_or(Ending::Stopped),
            Err(_) => Ending::Stopped,
        }
    }
}
