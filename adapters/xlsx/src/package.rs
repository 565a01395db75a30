//! Opens the file of a workbook. Before anything is kept in memory, all relevant parts of the
//! package are decompressed once and discarded. This finds damaged parts, parts that exceed a
//! limit, and content that the reader would silently skip, so the reader only gets packages of
//! bounded size.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use calamine::{Reader, SheetType, SheetVisible, Xlsx};
use memchr::memmem;
use zip::ZipArchive;

use crate::error::XlsxError;

/// The largest size of a file, in bytes.
const MAX_PACKED: u64 = 1 << 30;
/// The largest size of all parts together, decompressed, in bytes.
const MAX_UNPACKED: u64 = 2 << 30;
/// The largest size of the shared texts, decompressed, in bytes: they stay in memory as a whole.
const MAX_SHARED_TEXTS: u64 = 256 << 20;
/// The largest size of any other part but a sheet (styles, names), decompressed, in bytes.
const MAX_OTHER_PART: u64 = 16 << 20;

const SAVE_AGAIN: &str = "open it in Excel and save it again as an Excel workbook (.xlsx)";
const USE_CSV: &str = "provide a book of this size as a folder of CSV files (dir:)";

/// An open workbook.
pub(crate) struct Workbook {
    pub(crate) xlsx: Xlsx<BufReader<File>>,
    /// Whether any sheet has merged cells.
    pub(crate) has_merged: bool,
    /// Whether any sheet may have hidden rows or columns.
    pub(crate) has_hidden: bool,
}

/// An entry in the workbook's list of sheets.
#[derive(Debug, Clone)]
pub(crate) struct SheetEntry {
    pub(crate) name: String,
    pub(crate) is_hidden: bool,
    /// False for charts and dialogs.
    pub(crate) has_cells: bool,
}

impl Workbook {
    pub(crate) fn open(path: &Path) -> Result<Self, XlsxError> {
        let unreadable = |source| XlsxError::Io { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(unreadable(ErrorKind::IsADirectory.into()));
        }
        check_format(path, &mut file, metadata.len())?;
        let package = BufReader::new(file.try_clone().map_err(unreadable)?);
        let (has_merged, has_hidden) = inspect(path, package)?;
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let xlsx = catch_panic(path, || Xlsx::new(BufReader::new(file)))?
            .map_err(|error| XlsxError::unsupported(path, format!("{error}; {SAVE_AGAIN}")))?;
        Ok(Self { xlsx, has_merged, has_hidden })
    }

    /// The sheets in the order of the workbook.
    pub(crate) fn sheets(&self) -> Vec<SheetEntry> {
        let entry = |sheet: &calamine::Sheet| SheetEntry {
            name: sheet.name.clone(),
            is_hidden: sheet.visible != SheetVisible::Visible,
            has_cells: sheet.typ == SheetType::WorkSheet,
        };
        self.xlsx.sheets_metadata().iter().map(entry).collect()
    }
}

/// Rejects a file that is not a package, and names its format.
fn check_format(path: &Path, file: &mut File, size: u64) -> Result<(), XlsxError> {
    let unreadable = |source| XlsxError::Io { path: path.to_owned(), source };
    if size > MAX_PACKED {
        let reason = format!("it has {size} bytes, more than {MAX_PACKED}; {USE_CSV}");
        return Err(XlsxError::unsupported(path, reason));
    }
    let mut start = Vec::new();
    file.by_ref().take(1 << 20).read_to_end(&mut start).map_err(unreadable)?;
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    // Microsoft's compound file, the container of .xls and of encrypted workbooks.
    const COMPOUND: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
    let reason = if start.is_empty() {
        "the file is empty".to_owned()
    } else if start.starts_with(&COMPOUND) {
        match is_encrypted(file, &start, size).map_err(unreadable)? {
            true => "it is encrypted with a password; remove the password in Excel and save it"
                .to_owned(),
            false => format!("it has the old format .xls; {SAVE_AGAIN}"),
        }
    } else if start.trim_ascii_start().starts_with(b"<") {
        format!(
            "it is XML or HTML and no workbook; {SAVE_AGAIN}, or read a message of MISMO with the \
             source mismo:FILE"
        )
    } else if !start.starts_with(b"PK") {
        format!("it is not an .xlsx file; {SAVE_AGAIN}")
    } else {
        return Ok(());
    };
    Err(XlsxError::unsupported(path, reason))
}

/// Whether the directory of a compound file lists an encrypted package. The directory is in UTF-16,
/// and may be at the start or at the end of the file.
fn is_encrypted(file: &mut File, start: &[u8], size: u64) -> io::Result<bool> {
    let name: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    if memmem::find(start, &name).is_some() {
        return Ok(true);
    }
    let mut end = Vec::new();
    if size > start.len() as u64 {
        file.seek(SeekFrom::Start(size.saturating_sub(1 << 20)))?;
        file.by_ref().take(1 << 20).read_to_end(&mut end)?;
    }
    Ok(memmem::find(&end, &name).is_some())
}

/// Decompresses every part that a reader uses. Returns whether any sheet has merged cells, and
/// whether any may have hidden rows or columns.
fn inspect(path: &Path, file: BufReader<File>) -> Result<(bool, bool), XlsxError> {
    let unsupported = |reason: String| XlsxError::unsupported(path, reason);
    let damaged = |error: &dyn std::fmt::Display| {
        unsupported(format!("the file is damaged ({error}); {SAVE_AGAIN}"))
    };
    let mut package = ZipArchive::new(file).map_err(|error| damaged(&error))?;
    let names = package.file_names().map(|name| name.map(Cow::into_owned));
    let names: Vec<String> = names.collect::<Result<_, _>>().map_err(|error| damaged(&error))?;
    if names.iter().any(|name| name.ends_with("workbook.bin")) {
        return Err(unsupported(format!("it is a binary workbook (.xlsb); {SAVE_AGAIN}")));
    }
    if !names.iter().any(|name| name.eq_ignore_ascii_case("[Content_Types].xml")) {
        return Err(unsupported(format!("it is a zip file, but not an .xlsx file; {SAVE_AGAIN}")));
    }
    let (mut has_merged, mut has_hidden, mut unpacked) = (false, false, 0);
    for at in 0..package.len() {
        let mut part = package.by_index(at).map_err(|error| damaged(&error))?;
        let name = names.get(at).map(|name| name.to_ascii_lowercase()).unwrap_or_default();
        if !(name.ends_with(".xml") || name.ends_with(".rels")) {
            continue;
        }
        let mut scanner = PartScanner::new(&name);
        let limit = scanner.size_limit().min(MAX_UNPACKED - unpacked);
        let size = scanner.scan(&mut part, limit).map_err(|error| damaged(&error))?;
        if size > limit {
            let reason = format!("its part {name} unpacks to more than {limit} bytes; {USE_CSV}");
            return Err(unsupported(reason));
        }
        unpacked += size;
        if let Some(problem) = scanner.problem {
            return Err(unsupported(format!("its part {name} {problem}; {SAVE_AGAIN}")));
        }
        has_merged |= scanner.has_merged;
        has_hidden |= scanner.has_hidden;
    }
    Ok((has_merged, has_hidden))
}

/// Scans the bytes of a part for content that no office program writes, and that would harm the
/// reader, or that the reader would skip.
struct PartScanner {
    is_sheet: bool,
    is_shared_texts: bool,
    has_merged: bool,
    has_hidden: bool,
    problem: Option<&'static str>,
}

impl PartScanner {
    /// Bytes that are scanned twice, because a searched text may span two chunks.
    const OVERLAP: usize = 128;

    fn new(name: &str) -> Self {
        let is_sheet = name.contains("worksheets/");
        let is_shared_texts = name.ends_with("sharedstrings.xml");
        let (has_merged, has_hidden, problem) = (false, false, None);
        Self { is_sheet, is_shared_texts, has_merged, has_hidden, problem }
    }

    const fn size_limit(&self) -> u64 {
        match (self.is_sheet, self.is_shared_texts) {
            (true, _) => MAX_UNPACKED,
            (false, true) => MAX_SHARED_TEXTS,
            (false, false) => MAX_OTHER_PART,
        }
    }

    /// Scans a part and returns its size. Stops at the first chunk that exceeds `limit`.
    fn scan(&mut self, part: &mut impl Read, limit: u64) -> io::Result<u64> {
        let mut bytes = vec![0; 1 << 18];
        let (mut overlap, mut size) = (0, 0);
        loop {
            let mut filled = overlap;
            while filled < bytes.len() {
                match part.read(&mut bytes[filled..]) {
                    Ok(0) => break,
                    Ok(read) => filled += read,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            if filled == overlap {
                return Ok(size);
            }
            let chunk = &bytes[..filled];
            if size == 0 {
                self.check_encoding(chunk);
            }
            size += (filled - overlap) as u64;
            if size > limit {
                return Ok(size);
            }
            self.scan_chunk(chunk, size);
            let from = filled.saturating_sub(Self::OVERLAP);
            overlap = filled - from;
            bytes.copy_within(from..filled, 0);
        }
    }

    /// The standard allows UTF-8 and UTF-16, but office programs write UTF-8 only.
    fn check_encoding(&mut self, start: &[u8]) {
        let declaration = start.get(..200).unwrap_or(start).to_ascii_lowercase();
        let is_utf_16 = start.starts_with(&[0xfe, 0xff])
            || start.starts_with(&[0xff, 0xfe])
            || start.iter().take(4).any(|byte| *byte == 0);
        let is_other = memmem::find(&declaration, b"encoding").is_some_and(|at| {
            let after = &declaration[at..declaration.len().min(at + 24)];
            memmem::find(after, b"utf-8").is_none() && memmem::find(after, b"utf8").is_none()
        });
        if is_utf_16 || is_other {
            self.problem = Some("is not UTF-8");
        }
    }

    fn scan_chunk(&mut self, chunk: &[u8], size: u64) {
        if self.is_sheet {
            self.has_merged |= memmem::find(chunk, b"mergeCell").is_some();
            for hiding in [&b"hidden="[..], b"ht=\"0", b"width=\"0"] {
                self.has_hidden |= memmem::find(chunk, hiding).is_some();
            }
            for skipped in [&b"<![CDATA["[..], b"<!--"] {
                if memmem::find(chunk, skipped).is_some() {
                    self.problem = Some("has comments or CDATA among its cells");
                }
            }
        }
        if self.is_shared_texts && declares_too_many_texts(chunk, size) {
            self.problem = Some("declares more texts than it contains");
        }
    }
}

/// Whether a part declares more texts than its bytes can contain. The reader allocates memory for
/// the declared number.
fn declares_too_many_texts(chunk: &[u8], size: u64) -> bool {
    let name = b"uniqueCount";
    memmem::find_iter(chunk, name).any(|at| {
        let after = &chunk[at + name.len()..];
        let digits = after.iter().skip_while(|b| !b.is_ascii_digit() && **b != b'>');
        let digits = digits.take_while(|b| b.is_ascii_digit());
        let declared =
            digits.fold(0_u64, |sum, b| sum.saturating_mul(10).saturating_add(u64::from(b - b'0')));
        // `size` is what was read so far, which may be the first chunk only.
        declared > size.max(MAX_SHARED_TEXTS / 8)
    })
}

/// Calls a function of the reader, which may panic on a malicious package. A panic becomes an
/// error.
pub(crate) fn catch_panic<T>(path: &Path, read: impl FnOnce() -> T) -> Result<T, XlsxError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read))
        .map_err(|_| XlsxError::unsupported(path, format!("the file is damaged; {SAVE_AGAIN}")))
}
