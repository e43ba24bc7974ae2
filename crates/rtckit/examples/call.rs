//! A call between two connections of one program: a second of sound, and what it took.
//!
//! ```text
//! cargo run -p rtckit --example call
//! ```
#![allow(
    clippy::disallowed_methods,
    reason = "an example program may look at the clock"
)]

use core::time::Duration;
use std::time::Instant;

use rtckit::{Configuration, Direction, Error, Event, MediaKind, PeerConnection};

/// 20 ms of Opus, in ticks of its clock.
const TICKS: u32 = 960;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let here = || Configuration::new().bind([([127, 0, 0, 1], 0).into()]);
    let caller = PeerConnection::new(here()).await?;
    let callee = PeerConnection::new(here()).await?;

    let started = Instant::now();
    let microphone = caller.add_transceiver(MediaKind::Audio, Direction::SendOnly)?;
    let offer = caller.create_offer().await?;
    println!("The caller offers:\n\n{}", offer.sdp);
    caller.set_local_description(offer).await?;
    callee
        .set_remote_description(caller.local_description().expect("it was just set"))
        .await?;
    let answer = callee.create_answer().await?;
    println!("The callee answers:\n\n{}", answer.sdp);
    callee.set_local_description(answer).await?;
    caller
        .set_remote_description(callee.local_description().expect("it was just set"))
        .await?;
    caller.connected().await?;
    callee.connected().await?;
    println!("Connected after {:?}.", started.elapsed());

    let speaker = loop {
        match callee.next_event().await {
            Some(Event::Track(track)) => break track.receiver(),
            Some(_) => {}
            None => return Err(Error::Closed),
        }
    };
    let microphone = microphone.sender();
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    for index in 0..50 {
        tick.tick().await;
        let written = Instant::now();
        microphone
            .write_frame(index * TICKS, &[0xfc, 0xff, 0xfe])
            .await?;
        let Some(frame) = speaker.read_frame().await else {
            break;
        };
        println!(
            "Frame {index:2}: {} bytes heard after {:?}.",
            frame.data.len(),
            written.elapsed()
        );
    }
    caller.close().await;
    callee.close().await;
    Ok(())
}
