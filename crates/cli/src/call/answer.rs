//! Answers that are in order, and of which no call will come.

use rtckit_sdp::Session;

/// Says why nothing can come of an answer. What is no description at all is left to who will take it.
pub(crate) fn check(offer: &str, answer: &str) -> Result<(), &'static str> {
    let (Ok(offer), Ok(answer)) = (Session::parse(offer), Session::parse(answer)) else {
        return Ok(());
    };
    let accepted = || {
        answer
            .media()
            .iter()
            .filter(|section| !answer.is_rejected(section))
    };
    if accepted().next().is_none() {
        return Err("the server rejects all of the offer");
    }
    let ours = said(&offer, "ice-pwd");
    if said(&answer, "ice-pwd")
        .iter()
        .any(|password| ours.contains(password))
    {
        return Err("the answer is the offer again");
    }
    if said(&answer, "setup").iter().any(|role| role == "actpass") {
        return Err("the answer leaves the DTLS role open (a=setup:actpass), as only an offer may");
    }
    let is_inactive = |name| answer.has(name) || accepted().all(|section| section.has(name));
    if is_inactive("inactive") {
        return Err("the server neither takes nor sends anything (a=inactive)");
    }
    Ok(())
}

/// All values of the attributes of this name, but those of rejected sections.
fn said(session: &Session<'_>, name: &str) -> Vec<String> {
    let sections = session
        .media()
        .iter()
        .filter(|section| !session.is_rejected(section));
    session
        .attributes()
        .chain(sections.flat_map(|section| section.attributes()))
        .filter(|attribute| attribute.name == name)
        .filter_map(|attribute| attribute.value.map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(port: u16, password: &str, setup: &str, direction: &str) -> String {
        format!(
            "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio {port} UDP/TLS/RTP/SAVPF 111\r\n\
             a=ice-pwd:{password}\r\na=setup:{setup}\r\na={direction}\r\n"
        )
    }

    #[test]
    fn answers_that_lead_nowhere() {
        let offer = description(9, "ours", "actpass", "sendrecv");
        let check = |port, password, setup, direction| {
            check(&offer, &description(port, password, setup, direction))
        };
        assert_eq!(check(9, "theirs", "active", "sendrecv"), Ok(()));
        assert!(
            check(0, "theirs", "active", "sendrecv")
                .unwrap_err()
                .contains("rejects all")
        );
        assert!(
            check(9, "ours", "active", "sendrecv")
                .unwrap_err()
                .contains("again")
        );
        assert!(
            check(9, "theirs", "actpass", "sendrecv")
                .unwrap_err()
                .contains("actpass")
        );
        assert!(
            check(9, "theirs", "passive", "inactive")
                .unwrap_err()
                .contains("neither")
        );
    }
}
