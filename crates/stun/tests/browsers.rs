//! Connectivity checks and answers that Chromium and Firefox sent in live calls.

use rtckit_stun::{AttributeType, Class, Message, short_term_key};

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex digits"))
        .collect()
}

#[test]
fn captured_checks_parse_and_verify() {
    let mut requests = 0;
    let mut responses = 0;
    for line in include_str!("../testdata/browser_checks.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let fields: Vec<&str> = line.split(' ').collect();
        let [agent, class, username, password, hex] = fields[..] else {
            panic!("five fields in {line}");
        };
        let bytes = unhex(hex);
        let message = Message::parse(&bytes).unwrap();
        assert!(
            message.verify_integrity(&short_term_key(password)),
            "{agent}"
        );
        assert_eq!(message.verify_fingerprint(), Some(true), "{agent}");
        if class == "request" {
            requests += 1;
            assert_eq!(message.class(), Class::Request);
            assert_eq!(message.username(), Some(username));
            assert!(message.priority().is_some());
            assert_ne!(
                message.ice_controlled().is_some(),
                message.ice_controlling().is_some()
            );
        } else {
            responses += 1;
            assert_eq!(message.class(), Class::SuccessResponse);
            assert!(message.xor_mapped_address().is_some());
        }
        let known = [
            AttributeType::USERNAME,
            AttributeType::PRIORITY,
            AttributeType::USE_CANDIDATE,
            AttributeType::MESSAGE_INTEGRITY,
            AttributeType::XOR_MAPPED_ADDRESS,
        ];
        assert_eq!(
            message.unknown_required(&known).count(),
            0,
            "{agent} asks for nothing unknown"
        );
    }
    assert!(
        requests >= 6 && responses >= 4,
        "{requests} requests, {responses} responses"
    );
}
