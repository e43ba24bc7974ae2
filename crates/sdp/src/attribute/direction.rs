//! Who sends: [RFC 8866 §6.7](https://www.rfc-editor.org/rfc/rfc8866.html#section-6.7).

/// The four attributes that say in which direction media flow, seen from who wrote the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways; what holds if nothing is said.
    #[default]
    SendRecv,
    /// The writer sends.
    SendOnly,
    /// The writer receives.
    RecvOnly,
    /// Nobody sends.
    Inactive,
}

impl Direction {
    /// All four.
    pub const ALL: [Self; 4] = [
        Self::SendRecv,
        Self::SendOnly,
        Self::RecvOnly,
        Self::Inactive,
    ];

    /// Reads the name of the attribute.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|d| d.as_str() == name)
    }

    /// The direction in which the writer sends and receives as given.
    pub const fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// The attribute's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// Whether the writer sends.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the writer receives.
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same seen from the other side.
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    /// What both allow: the answer to an offer is at most
    /// `offer.reversed().intersection(wanted)` ([RFC 3264 §6.1](https://www.rfc-editor.org/rfc/rfc3264.html#section-6.1)).
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self::new(
            self.sends() && other.sends(),
            self.receives() && other.receives(),
        )
    }
}

impl core::fmt::Display for Direction {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_direction_has_its_name_and_its_mirror() {
        for direction in Direction::ALL {
            assert_eq!(Direction::from_name(direction.as_str()), Some(direction));
            assert_eq!(direction.reversed().reversed(), direction);
            assert_eq!(direction.intersection(Direction::SendRecv), direction);
            assert_eq!(
                direction.intersection(Direction::Inactive),
                Direction::Inactive
            );
        }
        assert_eq!(Direction::SendOnly.reversed(), Direction::RecvOnly);
        assert_eq!(Direction::from_name("SENDRECV"), None);
    }
}
