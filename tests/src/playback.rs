//! A clip being sent, and the judgement on what arrives.

use core::time::Duration;

use rtckit_peer::Event;
use rtckit_proto::Instant;

use crate::{Call, Clip, Side};

/// How far apart the packets of sound are.
const TICK: Duration = Duration::from_millis(20);
/// Ticks of RTP time between them, at 48 kHz.
const AUDIO_STEP: u32 = 960;
/// Ticks of RTP time between two pictures, at 90 kHz and 25 pictures a second.
const VIDEO_STEP: u32 = 3600;

/// One stream in one direction.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Frames handed to the sender.
    pub sent: usize,
    /// Frames read that are, byte for byte and in order, frames that were sent.
    pub identical: usize,
    /// Frames read that are not.
    pub corrupt: usize,
    /// The next frame that may come.
    next: usize,
    /// The sender's random timestamp offset, from the first frame.
    offset: Option<u32>,
}

/// A clip, played from one side to the other.
#[derive(Debug)]
pub struct Playback<'c> {
    clip: &'c Clip,
    from: Side,
    /// Sound first, then pictures.
    pub tallies: [Tally; 2],
}

impl<'c> Playback<'c> {
    /// `clip` from `from` to the other side, from its beginning.
    pub fn new(clip: &'c Clip, from: Side) -> Self {
        Self {
            clip,
            from,
            tallies: Default::default(),
        }
    }

    /// What became of the sound.
    pub fn audio(&self) -> &Tally {
        &self.tallies[0]
    }

    /// What became of the pictures.
    pub fn video(&self) -> &Tally {
        &self.tallies[1]
    }

    /// Plays all `playbacks` at once for `time`, then waits `patience` for what is late.
    pub fn run(call: &mut Call, playbacks: &mut [Self], time: Duration, patience: Duration) {
        let ticks = time.as_millis() / TICK.as_millis();
        for tick in 0..ticks {
            for playback in &mut *playbacks {
                playback.send(call, 0);
                if tick % 2 == 0 {
                    playback.send(call, 1);
                }
            }
            Self::read(call, playbacks, TICK);
        }
        Self::read(call, playbacks, patience);
    }

    fn frame(&self, stream: usize, number: usize) -> &'c [u8] {
        let frames = [&self.clip.audio, &self.clip.video][stream];
        &frames[number % frames.len()]
    }

    fn send(&mut self, call: &mut Call, stream: usize) {
        let (now, from) = (call.pair.now, self.from);
        let id = call.streams[from as usize][stream];
        let number = self.tallies[stream].sent;
        let timestamp = [AUDIO_STEP, VIDEO_STEP][stream].wrapping_mul(number as u32);
        let mut sender = call.peer_mut(from).sender(id).expect("it sends");
        sender
            .write_frame(now, timestamp, self.frame(stream, number))
            .unwrap();
        self.tallies[stream].sent += 1;
    }

    /// Reads frames as an application does: when it is told that there are some, and at no other time.
    fn read(call: &mut Call, playbacks: &mut [Self], time: Duration) {
        let mut seen = [call.told[0].len(), call.told[1].len()];
        let _ = call.run_until(time, |call| {
            for playback in &mut *playbacks {
                playback.read_ready(call, seen);
            }
            seen = [call.told[0].len(), call.told[1].len()];
            false
        });
    }

    fn read_ready(&mut self, call: &mut Call, seen: [usize; 2]) {
        let to = self.from.other();
        for stream in 0..2 {
            let id = call.streams[to as usize][stream];
            let news = &call.told[to as usize][seen[to as usize]..];
            if news.contains(&Event::FrameReady(id)) {
                let now: Instant = call.pair.now;
                let mut receiver = call.peer_mut(to).receiver(id).expect("it receives");
                while let Some(frame) = receiver.read_frame(now) {
                    self.judge(stream, frame.timestamp, frame.data);
                }
            }
        }
    }

    fn judge(&mut self, stream: usize, timestamp: u32, data: &[u8]) {
        let candidates = self.tallies[stream].next..self.tallies[stream].sent;
        let found = candidates
            .into_iter()
            .find(|number| self.frame(stream, *number) == data);
        let step = [AUDIO_STEP, VIDEO_STEP][stream];
        let tally = &mut self.tallies[stream];
        let Some(number) = found else {
            tally.corrupt += 1;
            return;
        };
        let offset = timestamp.wrapping_sub(step.wrapping_mul(number as u32));
        if *tally.offset.get_or_insert(offset) == offset {
            tally.identical += 1;
        } else {
            tally.corrupt += 1;
        }
        tally.next = number + 1;
    }
}
