//! One end of a DTLS connection, and a peer that is a recording, broken in every way.

use core::time::Duration;

use rtckit_dtls::Connection;
use rtckit_proto::{Datagram, Instant};

use crate::dtls::{CLIENT, SERVER, config, connections, path, recorded};
use crate::input::{Input, mutate};
use crate::settle::settle;

/// Plays the recorded peer's datagrams, as they are, mutated, cut into other fragments or made up. The end under
/// test draws the same random bytes as the one that was recorded, so the recording fits it until it is broken.
pub fn target(data: &[u8]) {
    let mut input = Input::new(data);
    let end = input.choose(&[CLIENT, SERVER]);
    let mut machine = {
        let mut configs = [config(CLIENT), config(SERVER)];
        if input.bool() {
            configs[SERVER].cookie_secret = Some([3; 32].into());
        }
        let [client, server] = connections(configs);
        if end == CLIENT { client } else { server }
    };
    let script = &recorded()[1 - end];
    let mut now = Instant::ZERO;
    let mut next = 0;
    let mut buf = [0; 2048];
    for _ in 0..64 {
        if input.is_empty() {
            break;
        }
        let mut datagram = match input.u8() % 8 {
            0 | 1 => {
                next += 1;
                script.get(next - 1).cloned().unwrap_or_default()
            }
            2 => {
                next += 1;
                let mut datagram = script.get(next - 1).cloned().unwrap_or_default();
                mutate(&mut input, &mut datagram);
                datagram
            }
            3 => script[input.below(script.len())].clone(),
            4 => handshake_record(&mut input),
            5 => refragmented(&mut input, &script[input_index(next, script.len())]),
            6 => {
                now = machine.poll_timeout().map_or(now, |due| due.max(now));
                machine.handle_timeout(now);
                Vec::new()
            }
            _ => input.vec8().to_vec(),
        };
        now += Duration::from_millis(1);
        let opened: usize = machine
            .handle_input(now, Datagram::new(path(), &mut datagram))
            .iter()
            .map(<[u8]>::len)
            .sum();
        assert!(opened <= datagram.len());
        settle(&mut machine, now, &mut buf, |_, _| {}, |_| {});
        look(&machine);
    }
}

fn input_index(next: usize, len: usize) -> usize {
    next.min(len - 1)
}

fn look(machine: &Connection) {
    let _ = format!("{machine:?}");
    let _ = (machine.version(), machine.cipher_suite(), machine.stats());
    assert_eq!(machine.srtp_keys().is_some(), machine.is_connected());
    assert!(!(machine.is_connected() && machine.is_closed()));
}

/// A plaintext record with a handshake fragment whose every field the input chooses.
fn handshake_record(input: &mut Input<'_>) -> Vec<u8> {
    let kind = input.choose(&[0, 1, 2, 3, 11, 12, 13, 14, 15, 16, 20, 255]);
    let message_len = u32::from(input.u16());
    let message_seq = input.u8() % 10;
    let offset = u32::from(input.u16());
    let body = input.vec8();
    let fragment_len = if input.u8() == 255 {
        u32::from(input.u16())
    } else {
        body.len() as u32
    };
    let mut fragment = vec![kind];
    fragment.extend(&message_len.to_be_bytes()[1..]);
    fragment.extend([0, message_seq]);
    fragment.extend(&offset.to_be_bytes()[1..]);
    fragment.extend(&fragment_len.to_be_bytes()[1..]);
    fragment.extend(body);
    record(22, input.u8(), &fragment)
}

fn record(content_type: u8, sequence: u8, body: &[u8]) -> Vec<u8> {
    let mut record = vec![content_type, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 1, sequence];
    record.extend((body.len() as u16).to_be_bytes());
    record.extend(body);
    record
}

/// The first handshake message of a recorded datagram, cut where the input says, its parts in either order.
fn refragmented(input: &mut Input<'_>, datagram: &[u8]) -> Vec<u8> {
    let len = match datagram {
        [22, _, _, 0, 0, ..] if datagram.len() > 25 => {
            usize::from(u16::from_be_bytes([datagram[11], datagram[12]]))
        }
        _ => return datagram.to_vec(),
    };
    let Some(message) = datagram.get(13..13 + len) else {
        return datagram.to_vec();
    };
    let Some((header, body)) = message.split_first_chunk::<12>() else {
        return datagram.to_vec();
    };
    let cut = usize::from(input.u16()) % (body.len() + 1);
    // parts may overlap, as RFC 6347 §4.2.3 lets them
    let overlap = input.below(16).min(cut);
    let part = |from: usize, to: usize, sequence: u8| {
        let mut fragment = header.to_vec();
        fragment[6..9].copy_from_slice(&(from as u32).to_be_bytes()[1..]);
        fragment[9..12].copy_from_slice(&((to - from) as u32).to_be_bytes()[1..]);
        fragment.extend(&body[from..to]);
        record(22, sequence, &fragment)
    };
    let mut parts = [part(0, cut, 200), part(cut - overlap, body.len(), 201)];
    if input.bool() {
        parts.reverse();
    }
    let mut whole = parts.concat();
    whole.extend(&datagram[13 + len..]);
    whole
}
