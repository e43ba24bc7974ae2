//! Back to text: every line with the end it had.

use crate::{
    line::{Line, LineEnd},
    media::Media,
    session::Session,
};
use core::{fmt, iter};

/// The text. For a session that was parsed and not changed, the bytes that were parsed.
impl fmt::Display for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let media = self.media().iter().flat_map(media_lines);
        lines(self.lines().iter().chain(media), f)
    }
}

/// The text of this section.
impl fmt::Display for Media<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        lines(media_lines(self), f)
    }
}

fn media_lines<'m, 'a>(media: &'m Media<'a>) -> impl Iterator<Item = &'m Line<'a>> {
    iter::once(&media.line).chain(&media.section.lines)
}

/// Ends a line that did not end when another follows it.
fn lines<'l, 'a: 'l>(
    lines: impl Iterator<Item = &'l Line<'a>>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut before = None;
    for line in lines {
        if before == Some(LineEnd::Missing) {
            f.write_str(LineEnd::CrLf.as_str())?;
        }
        f.write_str(line.text())?;
        f.write_str(line.end().as_str())?;
        before = Some(line.end());
    }
    Ok(())
}
