//! `rtckit loopback`: a call in one process, verified to the byte.

mod call;
mod network;
mod options;

use crate::failure::Failure;
use crate::stage;

pub(crate) use options::Options;

use call::{Call, Scene};

/// Runs the command.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    stage::run(&options.stage, Scene::new(options), |stage| {
        let (call, streams) = Call::new(options, stage);
        call.run(streams)
    })
}
