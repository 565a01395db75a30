//! Names and notes of runs (specification 3.6). The annotations of a run are a stream of their own,
//! `annotation-<run_id>`, so that they never touch what the run recorded.

mod event;

use uuid::Uuid;

pub use event::{AnnotationEvent, AnnotationEventType, RunNamed, RunNoted};

use crate::run::RunId;
use crate::values::{Timestamp, derive_uuid, is_invisible};

/// The kind of the streams, and the beginning of their names.
pub const KIND: &str = "annotation";

/// The longest name of a run, in characters.
pub const LONGEST_NAME: usize = 60;

/// The longest note, in characters.
pub const LONGEST_NOTE: usize = 4_000;

/// The name of the stream with the annotations of a run.
pub fn stream_of(run: RunId) -> String {
    format!("{KIND}-{run}")
}

/// The run of a stream of this kind; `None` if the stream is of another kind.
pub fn run_of(stream: &str) -> Option<RunId> {
    let run = stream.strip_prefix(KIND)?.strip_prefix('-')?.parse().ok()?;
    (stream_of(run) == stream).then_some(run)
}

/// The id of an event of a run's annotations: derived from run and version, so that a retry gives
/// the same.
pub fn event_id(run: RunId, stream_version: u64) -> Uuid {
    let version = stream_version.to_le_bytes();
    derive_uuid("powerfill 2026 annotation event id", &[run.0.as_bytes(), &version])
}

/// A note about a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunNote {
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub by: String,
    /// The note.
    pub text: String,
}

/// The name and the notes of a run after some events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annotations {
    /// The number of events.
    pub version: u64,
    /// The name of the run, if it has one.
    pub name: Option<String>,
    /// The notes, the oldest first.
    pub notes: Vec<RunNote>,
}

impl Annotations {
    /// Applies the next event.
    pub fn apply(&mut self, event: AnnotationEvent, at: Timestamp, by: &str) {
        self.version += 1;
        match event {
            AnnotationEvent::RunNamed(RunNamed { name }) => self.name = name,
            AnnotationEvent::RunNoted(RunNoted { note: text }) => {
                self.notes.push(RunNote { at, by: by.to_owned(), text });
            }
        }
    }
}

/// Why an annotation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnnotationRejection {
    /// The name is empty.
    #[error("the name is empty; to take a name away, use --no-name (HTTP: \"name\": \"\")")]
    EmptyName,
    /// The name is too long.
    #[error("the name has more than {LONGEST_NAME} characters")]
    LongName,
    /// The name begins as something else that a command takes in place of a run.
    #[error(
        "it begins with latest, or could be the beginning of a run id (0-9, a-f, -); choose another \
         name"
    )]
    AmbiguousName,
    /// The name has a line break or another character that is not seen.
    #[error("the name has a character that is not seen, U+{0:04X}; write it without it")]
    Invisible(u32),
    /// The note is empty.
    #[error("the note is empty")]
    EmptyNote,
    /// The note is too long.
    #[error("the note has more than {LONGEST_NOTE} characters")]
    LongNote,
    /// The note has a character that is not seen, other than a line break or a tab.
    #[error("the note has a character that is not seen, U+{0:04X}; write it without it")]
    InvisibleInNote(u32),
}

/// Checks a name of a run.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<(), AnnotationRejection> {
    let is_id = name.len() <= 36 && name.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let invisible = name.chars().find(|c| is_invisible(*c));
    match name {
        _ if name.trim().is_empty() => Err(AnnotationRejection::EmptyName),
        _ if name.chars().count() > LONGEST_NAME => Err(AnnotationRejection::LongName),
        _ if is_id || name.to_lowercase().starts_with("latest") => {
            Err(AnnotationRejection::AmbiguousName)
        }
        _ => invisible.map_or(Ok(()), |c| Err(AnnotationRejection::Invisible(c.into()))),
    }
}

/// Checks a note.
///
/// # Errors
/// What is wrong with it.
pub fn check_note(note: &str) -> Result<(), AnnotationRejection> {
    let is_line_break = |c: char| matches!(c, '\n' | '\r' | '\t');
    let invisible = note.chars().find(|c| is_invisible(*c) && !is_line_break(*c));
    match note {
        _ if note.trim().is_empty() => Err(AnnotationRejection::EmptyNote),
        _ if note.chars().count() > LONGEST_NOTE => Err(AnnotationRejection::LongNote),
        _ => invisible.map_or(Ok(()), |c| Err(AnnotationRejection::InvisibleInNote(c.into()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_be_taken_for_an_id() {
        for good in ["Morning", "month end, second try", "facade of a run"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", AnnotationRejection::EmptyName),
            (" ", AnnotationRejection::EmptyName),
            ("0197", AnnotationRejection::AmbiguousName),
            ("facade", AnnotationRejection::AmbiguousName),
            ("Latest~2", AnnotationRejection::AmbiguousName),
            ("a\nb", AnnotationRejection::Invisible(0xA)),
            ("a\u{1b}[2J", AnnotationRejection::Invisible(0x1B)),
            ("a\u{202e}b", AnnotationRejection::Invisible(0x202E)),
        ] {
            assert_eq!(check_name(bad), Err(why), "{bad:?}");
        }
        assert_eq!(check_name(&"n".repeat(61)), Err(AnnotationRejection::LongName));
    }

    #[test]
    fn a_stream_names_its_run() {
        let run: RunId = "01970000-0000-7000-8000-000000000001".parse().unwrap();
        assert_eq!(run_of(&stream_of(run)), Some(run));
        for other in ["annotation-", "annotation-1", "run-01970000-0000-7000-8000-000000000001"] {
            assert_eq!(run_of(other), None, "{other}");
        }
    }
}
