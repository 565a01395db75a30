//! Reads a message element by element.

use std::error::Error;
use std::io::BufRead;
use std::path::Path;

use powerfill_events::input::{RawTable, TooLarge};
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::TABLE;
use crate::deal::Deal;
use crate::error::MismoError;

type BoxError = Box<dyn Error + Send + Sync>;

/// The most elements within one another. Messages have about 20.
const MAX_DEPTH: usize = 200;

/// What is wrong with a message, and on which line, from 1.
#[derive(Debug)]
pub(crate) struct MessageError {
    line: u32,
    reason: BoxError,
}

impl MessageError {
    /// Adds the file.
    pub(crate) fn in_file(self, path: &Path) -> MismoError {
        MismoError::Message { path: path.to_owned(), line: self.line, reason: self.reason }
    }
}

/// Adds the subject loans of a message to a table. `origin` is the number of its file there.
pub(crate) fn read(
    input: impl BufRead,
    origin: u32,
    table: &mut RawTable,
) -> Result<(), MessageError> {
    let mut message = Message { origin, ..Message::default() };
    let (mut reader, mut buffer) = (Reader::from_reader(input), Vec::new());
    reader.config_mut().expand_empty_elements = true;
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer);
        let event = event.map_err(|error| message.error(explain(&error).into()))?;
        let is_over = message.take(&event, table).map_err(|reason| message.error(reason))?;
        if is_over {
            return Ok(());
        }
    }
}

fn explain(error: &quick_xml::Error) -> String {
    match error {
        quick_xml::Error::Encoding(_) => {
            "it is not UTF-8; save the message as XML in UTF-8".to_owned()
        }
        error => format!("it is not well-formed XML: {error}"),
    }
}

/// The state of the reader.
#[derive(Default)]
struct Message {
    origin: u32,
    /// The line that is being read, from 0.
    line: u32,
    /// The names of the open elements, without prefixes.
    path: Vec<String>,
    /// The text of the innermost element.
    text: String,
    deal: Option<Deal>,
    loans: usize,
    has_root: bool,
}

impl Message {
    fn error(&self, reason: BoxError) -> MessageError {
        MessageError { line: self.line + 1, reason }
    }

    /// Takes the next event. Returns whether the message is over.
    fn take(&mut self, event: &Event<'_>, table: &mut RawTable) -> Result<bool, BoxError> {
        let content: &str = match event {
            Event::Start(element) | Event::Empty(element) => element,
            Event::End(element) => element,
            Event::Text(text) | Event::Comment(text) | Event::DocType(text) => text,
            Event::CData(text) => text,
            Event::PI(text) => text,
            Event::Decl(text) => text,
            Event::GeneralRef(text) => text,
            Event::Eof => "",
        };
        match event {
            Event::Start(element) | Event::Empty(element) => self.begin(element)?,
            Event::End(_) => self.end(table)?,
            Event::Text(text) => self.text.push_str(&text.xml10_content()),
            Event::CData(text) => self.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref()?;
                match (character, resolve_predefined_entity(reference)) {
                    (Some(character), _) => self.text.push(character),
                    (None, Some(text)) => self.text.push_str(text),
                    (None, None) => {
                        let name: &str = reference;
                        let reason =
                            format!("it refers to the entity {name}, which XML does not have");
                        return Err(reason.into());
                    }
                }
            }
            Event::DocType(_) => {
                return Err(
                    "it has a document type declaration, which MISMO does not use and which \
                            is refused: remove the line <!DOCTYPE …>"
                        .into(),
                );
            }
            Event::Eof => return self.end_of_message(),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        let newlines = content.bytes().filter(|byte| *byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX));
        Ok(false)
    }

    fn begin(&mut self, element: &BytesStart<'_>) -> Result<(), BoxError> {
        let name = element.local_name().into_inner();
        match (self.path.len(), name) {
            (0, "MESSAGE") => {}
            (0, other) => {
                return Err(format!(
                    "a message of MISMO 3 begins with the element MESSAGE, and this file with \
                     {other}; export the loans as MISMO 3 or ULDD"
                )
                .into());
            }
            (MAX_DEPTH.., _) => {
                return Err(format!("more than {MAX_DEPTH} elements are within one another").into());
            }
            _ => {}
        }
        match name {
            "DEAL" => self.deal = Some(Deal::default()),
            "LOAN" => {
                let role = element.try_get_attribute("LoanRoleType");
                let role = role?.map(|role| role.value);
                if let Some(deal) = &mut self.deal {
                    deal.begin_loan(role.as_deref(), self.line);
                }
            }
            _ => {}
        }
        self.has_root = true;
        self.path.push(name.to_owned());
        self.text.clear();
        Ok(())
    }

    fn end(&mut self, table: &mut RawTable) -> Result<(), BoxError> {
        let text = std::mem::take(&mut self.text);
        let value = text.trim();
        if let Some(deal) = &mut self.deal {
            if !value.is_empty() {
                deal.take(&self.path, value);
            }
            match self.path.last().map(String::as_str) {
                Some("LOAN") => deal.end_loan(),
                Some("DEAL") => {
                    let added =
                        self.deal.take().map(|deal| deal.add_rows(self.origin, table)).transpose();
                    self.loans += added.map_err(TooLarge::of(TABLE))?.unwrap_or_default();
                }
                _ => {}
            }
        }
        self.path.pop();
        Ok(())
    }

    fn end_of_message(&self) -> Result<bool, BoxError> {
        match (self.path.last(), self.loans) {
            (Some(open), _) => {
                Err(format!("the file ends within the element {open}; it is not whole").into())
            }
            (None, _) if !self.has_root => Err("it is not XML".into()),
            (None, 0) => Err("it has no subject loan: MESSAGE/DEAL_SETS/…/DEAL/LOANS/LOAN with \
                              LoanRoleType=\"SubjectLoan\" is expected"
                .into()),
            (None, _) => Ok(true),
        }
    }
}
