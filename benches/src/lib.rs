//! Criterion benches for the hot paths of rtckit, one file each in `benches/`; `README.md` says how to run and read
//! them, and has the figures of one run.
