//! Opening the file. Before anything of it is kept in memory the whole package is unpacked once, into nothing: so a
//! damaged part, one that unpacks to more than there is room for, and what would be read past without a word are found
//! first, and the reader only ever sees a package of bounded size.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use calamine::{Reader, SheetType, SheetVisible, Xlsx};
use memchr::memmem;
use zip::ZipArchive;

use crate::error::XlsxError;

/// The largest file, in bytes.
const MOST_PACKED: u64 = 1 << 30;
/// The most that all parts together unpack to.
const MOST_UNPACKED: u64 = 2 << 30;
/// The most that the shared texts unpack to: kept in memory as a whole.
const MOST_TEXTS: u64 = 256 << 20;
/// The most that a part besides sheets and texts unpacks to: styles, names.
const MOST_OTHER: u64 = 16 << 20;

const SAVE_AGAIN: &str = "open it in Excel and save it again as an Excel workbook (.xlsx)";

/// A workbook that was opened.
pub(crate) struct Workbook {
    pub(crate) xlsx: Xlsx<BufReader<File>>,
    /// Whether any sheet has merged cells.
    pub(crate) has_merged: bool,
}

/// A sheet, as the workbook lists it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) is_hidden: bool,
    /// Not a chart, not a dialogue.
    pub(crate) has_cells: bool,
}

impl Workbook {
    pub(crate) fn open(path: &Path) -> Result<Self, XlsxError> {
        let unreadable = |source| XlsxError::Unreadable { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(unreadable(ErrorKind::IsADirectory.into()));
        }
        check_sort(path, &mut file, metadata.len())?;
        let parts = inspect(path, BufReader::new(file.try_clone().map_err(unreadable)?))?;
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let xlsx = contained(path, || Xlsx::new(BufReader::new(file)))?
            .map_err(|error| XlsxError::unfit(path, format!("{error}; {SAVE_AGAIN}")))?;
        Ok(Self { xlsx, has_merged: parts.has_merged })
    }

    /// In the order of the workbook.
    pub(crate) fn sheets(&self) -> Vec<Listed> {
        let sheets = self.xlsx.sheets_metadata().iter();
        sheets
            .map(|sheet| Listed {
                name: sheet.name.clone(),
                is_hidden: sheet.visible != SheetVisible::Visible,
                has_cells: sheet.typ == SheetType::WorkSheet,
            })
            .collect()
    }
}

/// What the parts of a package say.
#[derive(Debug, Default)]
struct Parts {
    has_merged: bool,
}

/// Says of a file that is no package what it is instead.
fn check_sort(path: &Path, file: &mut File, size: u64) -> Result<(), XlsxError> {
    let unreadable = |source| XlsxError::Unreadable { path: path.to_owned(), source };
    if size > MOST_PACKED {
        let reason = format!(
            "it has {size} bytes, more than {MOST_PACKED}; give so large a book as a folder of CSV files (dir:)"
        );
        return Err(XlsxError::unfit(path, reason));
    }
    let mut start = Vec::new();
    file.by_ref().take(1 << 20).read_to_end(&mut start).map_err(unreadable)?;
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    // A compound file of Microsoft's, the shell of .xls and of encrypted workbooks; its directory is in UTF-16.
    const COMPOUND: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    let reason = if start.is_empty() {
        "the file is empty".to_owned()
    } else if start.starts_with(&COMPOUND) {
        let encrypted: Vec<u8> =
            "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut rest = Vec::new();
        let in_start = memmem::find(&start, &encrypted).is_some();
        if !in_start && size > start.len() as u64 {
            // The directory may stand at the end.
            let tail = size.saturating_sub(1 << 20);
            file.seek(SeekFrom::Start(tail)).map_err(unreadable)?;
            file.by_ref().take(1 << 20).read_to_end(&mut rest).map_err(unreadable)?;
        }
        if in_start || memmem::find(&rest, &encrypted).is_some() {
            "it is encrypted with a password; take the password off in Excel and save it".to_owned()
        } else {
            format!("it is of the old format .xls; {SAVE_AGAIN}")
        }
    } else if !start.starts_with(b"PK") {
        format!("it is no .xlsx file; {SAVE_AGAIN}")
    } else {
        return Ok(());
    };
    Err(XlsxError::unfit(path, reason))
}

/// Unpacks every part that a reader looks at.
fn inspect(path: &Path, file: BufReader<File>) -> Result<Parts, XlsxError> {
    let damaged = |error: &dyn std::fmt::Display| {
        XlsxError::unfit(path, format!("the file is damaged ({error}); {SAVE_AGAIN}"))
    };
    let mut package = ZipArchive::new(file).map_err(|error| damaged(&error))?;
    let names = package.file_names().map(|name| name.map(std::borrow::Cow::into_owned));
    let names: Vec<String> = names.collect::<Result<_, _>>().map_err(|error| damaged(&error))?;
    if names.iter().any(|name| name.ends_with("workbook.bin")) {
        let reason = format!("it is a binary workbook (.xlsb); {SAVE_AGAIN}");
        return Err(XlsxError::unfit(path, reason));
    }
    if !names.iter().any(|name| name.eq_ignore_ascii_case("[Content_Types].xml")) {
        return Err(XlsxError::unfit(
            path,
            format!("it is a zip, but no .xlsx file; {SAVE_AGAIN}"),
        ));
    }
    let mut parts = Parts::default();
    let mut unpacked = 0;
    for at in 0..package.len() {
        let mut part = package.by_index(at).map_err(|error| damaged(&error))?;
        let name = names.get(at).map(|name| name.to_ascii_lowercase()).unwrap_or_default();
        if !(name.ends_with(".xml") || name.ends_with(".rels")) {
            continue;
        }
        let most = if name.contains("worksheets/") {
            MOST_UNPACKED
        } else if name.ends_with("sharedstrings.xml") {
            MOST_TEXTS
        } else {
            MOST_OTHER
        };
        let most = most.min(MOST_UNPACKED - unpacked);
        let mut look = Look::new(&name);
        let size = look.through(&mut part, most).map_err(|error| damaged(&error))?;
        if size > most {
            let reason = format!(
                "its part {name} unpacks to more than {most} bytes; give so large a book as a folder of CSV files (dir:)"
            );
            return Err(XlsxError::unfit(path, reason));
        }
        unpacked += size;
        if let Some(strange) = look.strange {
            return Err(XlsxError::unfit(path, format!("its part {name} {strange}; {SAVE_AGAIN}")));
        }
        parts.has_merged |= look.has_merged;
    }
    Ok(parts)
}

/// Looks through the bytes of a part.
struct Look {
    is_sheet: bool,
    is_texts: bool,
    has_merged: bool,
    /// What no office program writes, and what the reader would not see or would be harmed by.
    strange: Option<&'static str>,
}

impl Look {
    /// A text that is looked for may lie across two chunks.
    const OVERLAP: usize = 128;

    fn new(name: &str) -> Self {
        let is_sheet = name.contains("worksheets/");
        let is_texts = name.ends_with("sharedstrings.xml");
        Self { is_sheet, is_texts, has_merged: false, strange: None }
    }

    /// Its size; more than `most` where it is larger.
    fn through(&mut self, part: &mut impl Read, most: u64) -> io::Result<u64> {
        let mut bytes = vec![0; 1 << 18];
        let (mut kept, mut size) = (0, 0);
        loop {
            let mut filled = kept;
            while filled < bytes.len() {
                match part.read(&mut bytes[filled..]) {
                    Ok(0) => break,
                    Ok(read) => filled += read,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            if filled == kept {
                return Ok(size);
            }
            let seen = &bytes[..filled];
            if size == 0 {
                self.start(seen);
            }
            size += (filled - kept) as u64;
            if size > most {
                return Ok(size);
            }
            self.chunk(seen, size);
            let from = seen.len().saturating_sub(Self::OVERLAP);
            kept = seen.len() - from;
            bytes.copy_within(from..from + kept, 0);
        }
    }

    /// The standard allows UTF-8 and UTF-16; everybody writes UTF-8.
    fn start(&mut self, start: &[u8]) {
        let declared = start.get(..200).unwrap_or(start).to_ascii_lowercase();
        let utf_16 = start.starts_with(&[0xfe, 0xff])
            || start.starts_with(&[0xff, 0xfe])
            || start.iter().take(4).any(|byte| *byte == 0);
        let other = memmem::find(&declared, b"encoding").is_some_and(|at| {
            let after = &declared[at..declared.len().min(at + 24)];
            memmem::find(after, b"utf-8").is_none() && memmem::find(after, b"utf8").is_none()
        });
        if utf_16 || other {
            self.strange = Some("is not UTF-8");
        }
    }

    fn chunk(&mut self, seen: &[u8], size: u64) {
        if self.is_sheet {
            self.has_merged |= memmem::find(seen, b"mergeCell").is_some();
            for hides in [&b"<![CDATA["[..], b"<!--"] {
                if memmem::find(seen, hides).is_some() {
                    self.strange = Some("has comments or CDATA among its cells");
                }
            }
        }
        if self.is_texts && claims_more(seen, size) {
            self.strange = Some("claims more texts than it has");
        }
    }
}

/// Whether a part claims more texts than its bytes could hold; the reader makes room for what is claimed.
fn claims_more(seen: &[u8], size: u64) -> bool {
    let name = b"uniqueCount";
    memmem::find_iter(seen, name).any(|at| {
        let after = &seen[at + name.len()..];
        let digits = after.iter().skip_while(|b| !b.is_ascii_digit() && **b != b'>');
        let digits = digits.take_while(|b| b.is_ascii_digit());
        let claimed =
            digits.fold(0_u64, |sum, b| sum.saturating_mul(10).saturating_add(u64::from(b - b'0')));
        // What was unpacked up to here need not be all: the first chunk of a part that goes on has 256 KiB.
        claimed > size.max(MOST_TEXTS / 8)
    })
}

/// Runs what reads a package. The reader is not proof against every package that somebody might make by hand; one that
/// makes it give up says so instead of ending the process.
pub(crate) fn contained<T>(path: &Path, read: impl FnOnce() -> T) -> Result<T, XlsxError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read))
        .map_err(|_| XlsxError::unfit(path, format!("the file is damaged; {SAVE_AGAIN}")))
}
