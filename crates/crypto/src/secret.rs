//! Secrets that neither print nor linger.

use core::fmt;

use zeroize::Zeroize;

/// `N` secret bytes: overwritten when dropped, never printed.
#[derive(Clone)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Zeroes, to be filled through [`as_mut`](AsMut::as_mut): the bytes then never exist elsewhere.
    pub const fn zeroed() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> From<[u8; N]> for Secret<N> {
    fn from(bytes: [u8; N]) -> Self {
        Self(bytes)
    }
}

impl<const N: usize> AsRef<[u8; N]> for Secret<N> {
    fn as_ref(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> AsMut<[u8; N]> for Secret<N> {
    fn as_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{N} bytes, redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_printed() {
        assert_eq!(
            format!("{:?}", Secret::from([7u8; 3])),
            "[3 bytes, redacted]"
        );
    }
}
