//! Every attribute with one value by its name: read from a [`Message`], written by a [`MessageWriter`].

use core::net::SocketAddr;

use crate::attribute::AttributeType;
use crate::error::Error;
use crate::message::Message;
use crate::value::{
    AddressErrorCode, AddressFamily, ChangeRequest, EvenPort, Icmp, NetworkInfo, PasswordAlgorithm,
    Value, password_algorithms,
};
use crate::writer::MessageWriter;

macro_rules! attributes {
    (
        borrowed { $($(#[$b_doc:meta])* $b_name:ident: $b_type:ident, $b_value:ident $(<$b_life:lifetime>)?;)* }
        bytes { $($(#[$y_doc:meta])* $y_name:ident: $y_type:ident;)* }
        copied { $($(#[$c_doc:meta])* $c_name:ident: $c_type:ident, $c_value:ty;)* }
        clear { $($(#[$a_doc:meta])* $a_name:ident: $a_type:ident;)* }
        xored { $($(#[$x_doc:meta])* $x_name:ident: $x_type:ident;)* }
        flags { $($(#[$f_doc:meta])* $f_name:ident: $f_type:ident;)* }
    ) => {
        /// Attributes by name. `None` when the attribute is absent or its value malformed.
        impl<'a> Message<'a> {
            $($(#[$b_doc])* pub fn $b_name(&self) -> Option<attributes!(@value 'a $b_value)> {
                Value::read(self.attribute(AttributeType::$b_type)?)
            })*
            $($(#[$y_doc])* pub fn $y_name(&self) -> Option<&'a [u8]> {
                self.attribute(AttributeType::$y_type)
            })*
            $($(#[$c_doc])* pub fn $c_name(&self) -> Option<$c_value> {
                Value::read(self.attribute(AttributeType::$c_type)?)
            })*
            $($(#[$a_doc])* pub fn $a_name(&self) -> Option<SocketAddr> {
                self.address(AttributeType::$a_type)
            })*
            $($(#[$x_doc])* pub fn $x_name(&self) -> Option<SocketAddr> {
                self.xor_address(AttributeType::$x_type)
            })*
            $($(#[$f_doc])* pub fn $f_name(&self) -> bool {
                self.attribute(AttributeType::$f_type).is_some()
            })*
        }

        /// Attributes by name.
        impl MessageWriter<'_> {
            $($(#[$b_doc])* pub fn $b_name(&mut self, value: attributes!(@value '_ $b_value)) -> Result<(), Error> {
                value.write(AttributeType::$b_type, self)
            })*
            $($(#[$y_doc])* pub fn $y_name(&mut self, value: &[u8]) -> Result<(), Error> {
                self.attribute(AttributeType::$y_type, value)
            })*
            $($(#[$c_doc])* pub fn $c_name(&mut self, value: $c_value) -> Result<(), Error> {
                value.write(AttributeType::$c_type, self)
            })*
            $($(#[$a_doc])* pub fn $a_name(&mut self, address: SocketAddr) -> Result<(), Error> {
                self.address(AttributeType::$a_type, address)
            })*
            $($(#[$x_doc])* pub fn $x_name(&mut self, address: SocketAddr) -> Result<(), Error> {
                self.xor_address(AttributeType::$x_type, address)
            })*
            $($(#[$f_doc])* pub fn $f_name(&mut self) -> Result<(), Error> {
                self.attribute(AttributeType::$f_type, &[])
            })*
        }
    };
    (@value $life:lifetime str) => { &$life str };
    (@value $life:lifetime $name:ident) => { $name<$life> };
}

attributes! {
    borrowed {
        /// REALM.
        realm: REALM, str;
        /// SOFTWARE.
        software: SOFTWARE, str;
        /// ALTERNATE-DOMAIN.
        alternate_domain: ALTERNATE_DOMAIN, str;
        /// THIRD-PARTY-AUTHORIZATION: the server's name
        /// ([RFC 7635 §6.1](https://www.rfc-editor.org/rfc/rfc7635#section-6.1)).
        third_party_authorization: THIRD_PARTY_AUTHORIZATION, str;
        /// ADDRESS-ERROR-CODE.
        address_error_code: ADDRESS_ERROR_CODE, AddressErrorCode;
    }
    bytes {
        /// NONCE.
        nonce: NONCE;
        /// DATA of TURN.
        data: DATA;
        /// PADDING of RFC 5780.
        padding: PADDING;
        /// ACCESS-TOKEN: opaque to the client
        /// ([RFC 7635 §6.2](https://www.rfc-editor.org/rfc/rfc7635#section-6.2)).
        access_token: ACCESS_TOKEN;
        /// MOBILITY-TICKET: opaque to the client
        /// ([RFC 8016 §3.3](https://www.rfc-editor.org/rfc/rfc8016#section-3.3)).
        mobility_ticket: MOBILITY_TICKET;
    }
    copied {
        /// PRIORITY of ICE.
        priority: PRIORITY, u32;
        /// ICE-CONTROLLED: the tie-breaker.
        ice_controlled: ICE_CONTROLLED, u64;
        /// ICE-CONTROLLING: the tie-breaker.
        ice_controlling: ICE_CONTROLLING, u64;
        /// USERHASH: SHA-256 of `username ":" realm`
        /// ([RFC 8489 §14.4](https://www.rfc-editor.org/rfc/rfc8489#section-14.4)).
        userhash: USERHASH, [u8; 32];
        /// PASSWORD-ALGORITHM; reads as `None` when it is one this crate does not know.
        password_algorithm: PASSWORD_ALGORITHM, PasswordAlgorithm;
        /// CHANNEL-NUMBER of TURN.
        channel_number: CHANNEL_NUMBER, u16;
        /// LIFETIME of TURN, in seconds.
        lifetime: LIFETIME, u32;
        /// REQUESTED-TRANSPORT of TURN: a protocol number of IP, 17 for UDP and 6 for TCP.
        requested_transport: REQUESTED_TRANSPORT, u8;
        /// REQUESTED-ADDRESS-FAMILY of TURN.
        requested_address_family: REQUESTED_ADDRESS_FAMILY, AddressFamily;
        /// ADDITIONAL-ADDRESS-FAMILY of TURN.
        additional_address_family: ADDITIONAL_ADDRESS_FAMILY, AddressFamily;
        /// EVEN-PORT of TURN.
        even_port: EVEN_PORT, EvenPort;
        /// RESERVATION-TOKEN of TURN.
        reservation_token: RESERVATION_TOKEN, [u8; 8];
        /// ICMP of TURN.
        icmp: ICMP, Icmp;
        /// CONNECTION-ID of TURN over TCP.
        connection_id: CONNECTION_ID, u32;
        /// CHANGE-REQUEST of RFC 5780.
        change_request: CHANGE_REQUEST, ChangeRequest;
        /// RESPONSE-PORT of RFC 5780.
        response_port: RESPONSE_PORT, u16;
        /// GOOG-NETWORK-INFO of libwebrtc.
        network_info: GOOG_NETWORK_INFO, NetworkInfo;
    }
    clear {
        /// MAPPED-ADDRESS.
        mapped_address: MAPPED_ADDRESS;
        /// ALTERNATE-SERVER.
        alternate_server: ALTERNATE_SERVER;
        /// RESPONSE-ORIGIN of RFC 5780.
        response_origin: RESPONSE_ORIGIN;
        /// OTHER-ADDRESS of RFC 5780.
        other_address: OTHER_ADDRESS;
        /// SOURCE-ADDRESS of RFC 3489.
        source_address: SOURCE_ADDRESS;
        /// CHANGED-ADDRESS of RFC 3489.
        changed_address: CHANGED_ADDRESS;
    }
    xored {
        /// XOR-MAPPED-ADDRESS.
        xor_mapped_address: XOR_MAPPED_ADDRESS;
        /// XOR-PEER-ADDRESS of TURN; the first, when there are several.
        xor_peer_address: XOR_PEER_ADDRESS;
        /// XOR-RELAYED-ADDRESS of TURN; the first, when there are two.
        xor_relayed_address: XOR_RELAYED_ADDRESS;
    }
    flags {
        /// USE-CANDIDATE of ICE.
        use_candidate: USE_CANDIDATE;
        /// DONT-FRAGMENT of TURN.
        dont_fragment: DONT_FRAGMENT;
    }
}

impl<'a> Message<'a> {
    /// USERNAME.
    pub fn username(&self) -> Option<&'a str> {
        Value::read(self.attribute(AttributeType::USERNAME)?)
    }

    /// Every XOR-PEER-ADDRESS, in order; malformed ones are `None`.
    pub fn xor_peer_addresses(&self) -> impl Iterator<Item = Option<SocketAddr>> + use<'a> {
        self.xor_addresses(AttributeType::XOR_PEER_ADDRESS)
    }

    /// Every XOR-RELAYED-ADDRESS, in order: two when both families were asked for; malformed ones are `None`.
    pub fn xor_relayed_addresses(&self) -> impl Iterator<Item = Option<SocketAddr>> + use<'a> {
        self.xor_addresses(AttributeType::XOR_RELAYED_ADDRESS)
    }

    /// The algorithms of PASSWORD-ALGORITHMS that this crate knows, in order of preference.
    pub fn password_algorithms(&self) -> impl Iterator<Item = PasswordAlgorithm> + use<'a> {
        password_algorithms(
            self.attribute(AttributeType::PASSWORD_ALGORITHMS)
                .unwrap_or_default(),
        )
    }
}

impl MessageWriter<'_> {
    /// PASSWORD-ALGORITHMS, in order of preference; the first 8 of `algorithms` are named.
    pub fn password_algorithms(&mut self, algorithms: &[PasswordAlgorithm]) -> Result<(), Error> {
        let mut value = [[0; 4]; 8];
        let mut count = 0;
        for (slot, algorithm) in value.iter_mut().zip(algorithms) {
            *slot = algorithm.entry();
            count += 1;
        }
        let value = value.get(..count).unwrap_or_default();
        self.attribute(AttributeType::PASSWORD_ALGORITHMS, value.as_flattened())
    }
}
