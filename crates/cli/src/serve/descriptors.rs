//! How many sockets and files the process may have open.

/// Raises the limit to the most that the system lets us have: every call has a socket for each address.
#[cfg(unix)]
pub(crate) fn raise_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        let most = Rlimit {
            current: maximum,
            maximum,
        };
        // Where it is refused, the limit is what it was, and callers beyond it are told.
        let _ = setrlimit(Resource::Nofile, most);
    }
}

/// There is no such limit.
#[cfg(not(unix))]
pub(crate) fn raise_limit() {}
