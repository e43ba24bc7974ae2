//! The canonical form of a description.

use crate::{
    grammar::is_blank,
    line::Line,
    media::Media,
    section::{self, Section},
    session::Session,
};
use alloc::string::String;

impl Session<'_> {
    /// Brings the text into its canonical form: every line ends in CR LF, words are separated by one space, no line ends
    /// in blanks, and lines stand in the order of
    /// [RFC 8866 §5](https://www.rfc-editor.org/rfc/rfc8866.html#section-5).
    ///
    /// No word is added, changed or removed, and the order of attributes stays: it has a meaning. What is missing stays
    /// missing; see [`check`](Self::check).
    ///
    /// ```
    /// use rtckit_sdp::Session;
    ///
    /// let mut session = Session::parse("v=0\no=-  1 1 IN IP4 192.0.2.1 \nt=0 0\ns=-\n")?;
    /// session.normalize();
    /// assert_eq!(
    ///     session.to_string(),
    ///     "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
    /// );
    /// # Ok::<(), rtckit_sdp::ParseError>(())
    /// ```
    pub fn normalize(&mut self) {
        lines(&mut self.section);
        for media in self.media_mut() {
            line(&mut media.line);
            lines(&mut media.section);
        }
    }
}

impl Media<'_> {
    /// The same for this section alone; see [`Session::normalize`].
    pub fn normalize(&mut self) {
        line(&mut self.line);
        lines(&mut self.section);
    }
}

fn lines(section: &mut Section<'_>) {
    section.lines.iter_mut().for_each(line);
    // A line that is no SDP stays behind the one it followed.
    let mut last = 0;
    let ranked = section.lines.iter().map(|line| {
        last = line.kind().and_then(section::rank).unwrap_or(last);
        last
    });
    if !ranked.is_sorted() {
        let mut last = 0;
        let mut ranks = alloc::vec::Vec::with_capacity(section.lines.len());
        for line in core::mem::take(&mut section.lines) {
            last = line.kind().and_then(section::rank).unwrap_or(last);
            ranks.push((last, line));
        }
        ranks.sort_by_key(|(rank, _)| *rank);
        section.lines = ranks.into_iter().map(|(_, line)| line).collect();
    }
}

fn line(line: &mut Line<'_>) {
    line.end_with_crlf();
    let text = line.text();
    let trimmed = text.trim_end_matches(is_blank);
    // A name or a text may hold any blanks, but none at its end; `s= ` is how some say "no name".
    let trimmed = match trimmed {
        "s=" | "i=" => text,
        _ => trimmed,
    };
    let of_words = line.kind().is_some_and(|kind| "ocbtrzm".contains(kind));
    let has_stray =
        trimmed.contains('\t') || trimmed.contains("  ") || trimmed.get(2..3) == Some(" ");
    if of_words && has_stray {
        let (kind, value) = trimmed.split_at_checked(2).unwrap_or((trimmed, ""));
        let mut words = String::from(kind);
        for (i, word) in value
            .split(is_blank)
            .filter(|word| !word.is_empty())
            .enumerate()
        {
            words.push_str(if i == 0 { "" } else { " " });
            words.push_str(word);
        }
        line.set_text(words);
    } else if trimmed.len() < text.len() {
        let trimmed = String::from(trimmed);
        line.set_text(trimmed);
    }
}
