//! The report and the certificate of a run as pages, and where a run's input came from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sandbox::{Sandbox, case, source};
use crate::snapshots::copy;

/// A name that would act as markup if it were not escaped.
const HOSTILE: &str = "</script><!--<script>alert(1)</script>&amp;";

/// A sandbox with a Complete run of a case, requested by a hostile name.
fn with_run(number: &str) -> Sandbox {
    Sandbox::with_case(number, &["--requested-by", HOSTILE])
}

#[test]
fn the_report_has_the_data_of_the_run_and_nothing_in_it_acts_as_markup() {
    let sandbox = with_run("41");
    let printed = sandbox.run_ok("report --out run.html");
    assert!(printed.starts_with("run.html has the report of run "), "{printed}");
    let page = sandbox.read("run.html");
    assert!(page.contains("http-equiv=\"Content-Security-Policy\""), "no policy");
    let data = page.split_once("id=\"powerfill-report\">").unwrap().1;
    let data = data.split_once("</script>").unwrap().0;
    assert!(!data.contains(['<', '>', '&']), "not escaped");
    let mut data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data.as_object_mut().unwrap().remove("brief"), Some(serde_json::Value::Null));
    assert_eq!(data, sandbox.run_line("report latest --json").success().json());
    assert_eq!(data["run"]["requested_by"], HOSTILE);
    assert_eq!(data["run"]["status"], "Complete");

    // The report of the next run says what changed since this one.
    let case = case("41");
    sandbox.run(["run", &source(&case), "--price-mode", "pc"]).success();
    sandbox.run_ok("report --out second.html");
    let page = sandbox.read("second.html");
    let data = page.split_once("id=\"powerfill-report\">").unwrap().1;
    let data: serde_json::Value =
        serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    assert_eq!(data["brief"], sandbox.run_line("brief --json").success().json());
    sandbox.run_ok("report latest~1 --out run.html");
    assert!(sandbox.read("run.html").contains("\"brief\":null"));

    // A second report takes the place of the first; nothing else stays in the folder.
    sandbox.run_ok("report --out run.html");
    let names = fs::read_dir(sandbox.path("")).unwrap().map(|e| e.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().contains("partial")));
}

#[test]
fn the_certificate_says_what_was_checked_and_explains_loans() {
    let sandbox = with_run("12");
    let kickouts = sandbox.run_line("tables latest pfill_kickout_guide_01 --format csv").success();
    let loan = kickouts.table().column("loan_id")[0].to_owned();
    sandbox.run_ok(&format!("report --audit --loan {loan} --out certificate.html"));
    let page = sandbox.read("certificate.html");
    for part in [
        "Verified and reproduced",
        "&lt;/script&gt;&lt;!--",
        "Input digest",
        "loan.csv",
        "Seal of the log",
        "decides the same",
        "kicked out",
        "Reviewed by",
    ] {
        assert!(page.contains(part), "{part:?} is not in the certificate");
    }
    assert!(!page.contains("<script"), "the certificate has a script");
    let digest = sandbox.run_line("show --format json").success().json();
    assert!(page.contains(digest["input_digest"].as_str().unwrap()));
    assert!(page.contains(digest["output_digest"].as_str().unwrap()));
}

#[test]
fn misuse_of_report_says_what_to_do() {
    let sandbox = with_run("12");
    sandbox.run_line("report latest").fails_with(2, &["--out", "--json"]);
    sandbox.run_line("report --out run.xlsx").fails_with(2, &["run.html", "--format xlsx"]);
    sandbox.run_line("report --loan L1 --out a.html").fails_with(2, &["--audit"]);
    sandbox.run_line("report --audit --loan NONE --out a.html").fails_with(2, &["no loan NONE"]);
    assert!(!sandbox.path("a.html").exists());
    sandbox.run_case("39", &[]);
    sandbox.run_line("report --out a.html").fails_with(2, &["is not Complete", "powerfill show"]);
}

/// A change of a stored event is in the certificate, and in the exit status.
#[test]
fn the_certificate_of_a_changed_log_says_so() {
    let sandbox = with_run("12");
    let database = rusqlite::Connection::open(sandbox.path("powerfill.db")).unwrap();
    database
        .execute_batch(
            "UPDATE pfill_kickout_guide_01 SET reason = 'NoPrice' WHERE reason <> 'NoPrice'",
        )
        .unwrap();
    drop(database);
    let line = "report --audit --out certificate.html";
    sandbox.run_line(line).fails_with(1, &["the certificate says why"]);
    let page = sandbox.read("certificate.html");
    assert!(page.contains("DAMAGED: ") && !page.contains("Verified and reproduced"));
}

#[test]
fn an_exported_input_is_the_input_of_the_run() {
    let sandbox = with_run("41");
    let run = sandbox.run_line("show --format json").success().json();
    let digest = run["input_digest"].as_str().unwrap();
    for (place, url) in [("input", "dir:input"), ("input.xlsx", "xlsx:input.xlsx")] {
        sandbox.prints(&format!("snapshot export latest --out {place}"), &[digest, url]);
        sandbox.prints(&format!("check {url}"), &[&format!("input digest {digest}\n")]);
        let again = format!("snapshot export latest --out {place}");
        sandbox.run_line(&again).fails_with(2, &["name a new"]);
    }
}

#[test]
fn a_run_records_where_its_input_was_read() {
    let sandbox = Sandbox::new();
    copy(&case("41").join("snapshot"), &sandbox.path("book"));
    sandbox.run_ok("run dir:book");
    let run = sandbox.run_line("show --format json").success().json();
    let provenance = &run["origin"]["provenance"];
    assert_eq!(provenance["kind"], "dir");
    assert!(provenance["place"].as_str().unwrap().ends_with("book"), "{provenance}");
    assert_eq!(provenance["configuration_version"], serde_json::Value::Null);
    let files = provenance["files"].as_array().unwrap();
    let loans = files.iter().find(|file| file["name"] == "loan.csv").unwrap();
    let bytes = fs::metadata(sandbox.path("book/loan.csv")).unwrap().len();
    assert_eq!(loans["bytes"], bytes);
    assert!(loans["modified_at"].as_str().unwrap().starts_with("20"), "{loans}");
    let tables = provenance["tables"].as_array().unwrap();
    assert_eq!(
        (tables.len(), &tables[0]["table"], &tables[0]["rows"]),
        (17, &"loan".into(), &400.into())
    );
    sandbox.prints("show", &["Input from dir:", "last changed 20"]);

    // The same rows have the same digests, wherever they are read.
    sandbox.run_ok("snapshot export latest --out book.xlsx");
    sandbox.run_ok("run xlsx:book.xlsx");
    let other = sandbox.run_line("show --format json").success().json();
    assert_eq!(other["origin"]["provenance"]["kind"], "xlsx");
    assert_eq!(&other["origin"]["provenance"]["tables"], &provenance["tables"]);
}

/// The numbers of pages and the sizes of paper of a PDF of Chromium, whose objects are plain.
fn pages(pdf: &Path) -> (usize, Vec<String>) {
    let bytes = fs::read(pdf).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let pages = text.split("/Type /Page").skip(1).filter(|rest| !rest.starts_with('s')).count();
    let boxes = text.split("/MediaBox [").skip(1);
    let mut sizes: Vec<String> =
        boxes.map(|rest| rest.split(']').next().unwrap().to_owned()).collect();
    sizes.dedup();
    (pages, sizes)
}

/// Marks the first and the last line of each row, tile, and chart, once the page is drawn.
const MARKS: &str = r#"<style>.mark { position: absolute; left: 0; font: 3px monospace }</style>
<script>
setTimeout(() => {
  let number = 0;
  const mark = (box) => {
    number += 1;
    for (const [kind, edge] of [["b", "top"], ["e", "bottom"]]) {
      const line = document.createElement("span");
      line.className = "mark";
      line.textContent = `pf${kind}${number}x`;
      line.style[edge] = 0;
      box.append(line);
    }
    box.style.position = "relative";
  };
  for (const row of document.querySelectorAll("tbody tr, tfoot tr")) mark(row.cells[0]);
  for (const figure of document.querySelectorAll("svg.chart, .tile")) {
    const box = document.createElement("div");
    figure.replaceWith(box);
    box.append(figure);
    mark(box);
  }
}, 1500);
</script>"#;

/// Makes every row taller than a line, so that page breaks meet rows.
const TALL_ROWS: &str =
    r#"tr > :first-child::after { content: "\A \A \A \A \A ."; white-space: pre }"#;

/// Prints a page on paper of a size, as a browser does, with these styles and scripts.
fn print(sandbox: &Sandbox, page: &str, paper: &str, additions: &str) -> PathBuf {
    let html = sandbox.read(page);
    // The policy allows no other style, so this copy has none.
    let (before, rest) = html.split_once("<meta http-equiv=\"Content-Security-Policy\"").unwrap();
    let rest = rest.split_once('>').unwrap().1;
    let head = format!("<style>@page {{ size: {paper}; }}</style>{additions}</head>");
    let copy = format!("{before}{rest}").replacen("</head>", &head, 1);
    let (from, to) = (sandbox.path(format!("{paper}-{page}")), sandbox.path("printed.pdf"));
    fs::write(&from, copy).unwrap();
    let profile = sandbox.path("profile");
    let printed = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--print-to-pdf={}", to.display()))
        .arg("--virtual-time-budget=10000")
        .arg(format!("file://{}", from.display()))
        .output()
        .expect("chromium is installed (tests/run.sh)");
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    to
}

/// How many marked rows, tiles, and charts a PDF has, and which begin on one page and end on
/// another.
fn marked(pdf: &Path) -> (usize, Vec<String>) {
    let read = Command::new("pdftotext").arg(pdf).arg("-").output();
    let read = read.expect("pdftotext is installed (tests/run.sh)");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let text = String::from_utf8(read.stdout).unwrap();
    let pages_of = |mark: &str| {
        let mut pages = BTreeMap::new();
        for (page, text) in text.split('\u{c}').enumerate() {
            for after in text.split(mark).skip(1) {
                if let Some((number, _)) = after.split_once('x') {
                    pages.entry(number.to_owned()).or_insert(page);
                }
            }
        }
        pages
    };
    let (begins, ends) = (pages_of("pfb"), pages_of("pfe"));
    let is_cut = |(number, page): &(&String, &usize)| ends.get(*number) != Some(*page);
    (begins.len(), begins.iter().filter(is_cut).map(|(number, _)| number.clone()).collect())
}

/// Both pages have their content on paper of both sizes: neither on one endless page, nor with a
/// page per row; and no page break cuts a row, a tile, or a chart.
#[test]
fn report_and_certificate_print_on_both_sizes_of_paper() {
    let sandbox = with_run("41");
    let case = case("41");
    sandbox.run(["run", &source(&case), "--price-mode", "pc"]).success();
    sandbox.run_ok("report --out run.html");
    sandbox.run_ok("report --audit --out certificate.html");
    let tall = format!("{MARKS}<style>{TALL_ROWS}</style>");
    for (page, least, most) in [("run.html", 3, 40), ("certificate.html", 3, 8)] {
        for (paper, width, height) in [("A4", 594, 841), ("Letter", 612, 792)] {
            let (pages, sizes) = pages(&print(&sandbox, page, paper, MARKS));
            assert!((least..=most).contains(&pages), "{page} has {pages} pages of {paper}");
            let [size] = &sizes[..] else { panic!("{page}: {sizes:?}") };
            let numbers: Vec<u32> = size
                .split_whitespace()
                .map(|number| number.split('.').next().unwrap().parse().unwrap())
                .collect();
            assert_eq!(numbers, [0, 0, width, height], "{page} on {paper}");
            for additions in [MARKS, tall.as_str()] {
                let (marks, cut) = marked(&print(&sandbox, page, paper, additions));
                assert!(marks > 20, "{page} on {paper} has {marks} rows");
                assert_eq!(cut, [""; 0], "{page} on {paper} has rows that are cut");
            }
        }
        // The check sees what is cut.
        let cutting = format!("{tall}<style>* {{ break-inside: auto !important }}</style>");
        let (_, cut) = marked(&print(&sandbox, page, "A4", &cutting));
        assert!(!cut.is_empty(), "{page}");
    }
}
