//! Workbooks from outside: read as snapshots and as texts, written, and made by hand to do harm.

mod book;
mod hostile;
mod source;
mod texts;
mod written;
