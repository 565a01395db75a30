//! Workbooks: read as snapshots and as texts, written, damaged, and malicious.

mod book;
mod hostile;
mod source;
mod texts;
mod written;
