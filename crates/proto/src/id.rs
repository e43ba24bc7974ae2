//! Newtypes for identifiers.

/// Defines a newtype around an integer identifier, so that an SSRC is never mistaken for a payload type.
///
/// ```
/// rtckit_proto::id! {
///     /// A synchronization source.
///     pub struct Ssrc(u32);
/// }
/// assert_eq!(Ssrc(7).to_string(), "7");
/// assert_eq!(u32::from(Ssrc::from(7)), 7);
/// ```
#[macro_export]
macro_rules! id {
    ($(#[$meta:meta])* pub struct $name:ident($int:ty);) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $int);

        impl From<$int> for $name {
            fn from(value: $int) -> Self {
                Self(value)
            }
        }

        impl From<$name> for $int {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&self.0, f)
            }
        }
    };
}
