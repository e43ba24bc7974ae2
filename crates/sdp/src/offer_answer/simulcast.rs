//! The other side of `a=rid` and `a=simulcast`.

use crate::attribute::{Parameters, Rid, Simulcast, SimulcastStream};
use alloc::{collections::BTreeSet, vec::Vec};

/// The `a=rid` that answers one: the other direction, the same restrictions
/// ([RFC 8851 §6.3](https://www.rfc-editor.org/rfc/rfc8851.html#section-6.3)). An encoding whose restrictions cannot be
/// read, or that are not known, is not answered.
pub fn answer_rid<'a>(offered: &Rid<'a>) -> Option<Rid<'a>> {
    let limits = offered.limits().ok()?;
    limits.other.is_empty().then_some(Rid {
        id: offered.id,
        direction: offered.direction.reversed(),
        restrictions: Parameters(offered.restrictions.0),
    })
}

/// The `a=simulcast` that answers one: what is sent there is received here, without the encodings that `accepted` refuses
/// ([RFC 8853 §5.3.2](https://www.rfc-editor.org/rfc/rfc8853.html#section-5.3.2)). `None` if no stream is left: then the
/// answer has no such attribute. Of an encoding that is named twice the first counts
/// ([§5.2](https://www.rfc-editor.org/rfc/rfc8853.html#section-5.2)).
///
/// ```
/// use rtckit_sdp::{attribute::{Attribute, Simulcast}, offer_answer::answer_simulcast};
///
/// let offered = Simulcast::parse("send a,b;~c;d recv e")?;
/// let answered = answer_simulcast(&offered, |rid| rid != "a" && rid != "d").unwrap();
/// let mut text = String::new();
/// answered.write(&mut text)?;
/// assert_eq!(text, "send e recv b;~c");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn answer_simulcast<'a>(
    offered: &Simulcast<'a>,
    accepted: impl Fn(&str) -> bool,
) -> Option<Simulcast<'a>> {
    let mut named = BTreeSet::new();
    let mut keep = |streams: &Vec<Vec<SimulcastStream<'a>>>| -> Vec<Vec<SimulcastStream<'a>>> {
        let kept = streams.iter().map(|alternatives| {
            let alternatives = alternatives.iter().copied();
            let kept =
                alternatives.filter(|stream| accepted(stream.rid) && named.insert(stream.rid));
            kept.collect::<Vec<_>>()
        });
        kept.filter(|alternatives| !alternatives.is_empty())
            .collect()
    };
    let answer = Simulcast {
        send: keep(&offered.recv),
        recv: keep(&offered.send),
    };
    (!answer.send.is_empty() || !answer.recv.is_empty()).then_some(answer)
}
