//! The report and the certificate of a run as pages, and where a run's input came from.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::sandbox::{Sandbox, case, options, source};
use crate::snapshots::copy;

/// A name that would act as markup if it were not escaped.
const HOSTILE: &str = "</script><!--<script>alert(1)</script>\u{2028}&amp;";

/// A sandbox with a Complete run of a case, requested by a hostile name.
fn with_run(number: &str) -> Sandbox {
    let (sandbox, case) = (Sandbox::new(), case(number));
    let (source, options) = (source(&case), options(&case));
    sandbox.run(["run", &source, "--options", &options, "--requested-by", HOSTILE]).success();
    sandbox
}

fn read(sandbox: &Sandbox, file: &str) -> String {
    fs::read_to_string(sandbox.path(file)).unwrap()
}

#[test]
fn the_report_has_the_data_of_the_run_and_nothing_in_it_acts_as_markup() {
    let sandbox = with_run("41");
    let printed = sandbox.run_ok("report --out run.html");
    assert!(printed.starts_with("run.html has the report of run "), "{printed}");
    let page = read(&sandbox, "run.html");
    assert!(page.contains("http-equiv=\"Content-Security-Policy\""), "no policy");
    let data = page.split_once("id=\"powerfill-report\">").unwrap().1;
    let data = data.split_once("</script>").unwrap().0;
    assert!(!data.contains(['<', '>', '&', '\u{2028}']), "not escaped");
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data, sandbox.run_line("report latest --json").success().json());
    assert_eq!(data["run"]["requested_by"], HOSTILE);
    assert_eq!(data["run"]["status"], "Complete");

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
    let page = read(&sandbox, "certificate.html");
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
    let refused = case("39");
    sandbox.run(["run", &source(&refused), "--options", &options(&refused)]);
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
    let page = read(&sandbox, "certificate.html");
    assert!(page.contains("DAMAGED: ") && !page.contains("Verified and reproduced"));
}

#[test]
fn an_exported_input_is_the_input_of_the_run() {
    let sandbox = with_run("41");
    let run = sandbox.run_line("show --format json").success().json();
    let digest = run["input_digest"].as_str().unwrap();
    for (place, url) in [("input", "dir:input"), ("input.xlsx", "xlsx:input.xlsx")] {
        let printed = sandbox.run_ok(&format!("snapshot export latest --out {place}"));
        assert!(printed.contains(digest) && printed.contains(url), "{printed}");
        let checked = sandbox.run_ok(&format!("check {url}"));
        assert!(checked.contains(&format!("input digest {digest}\n")), "{checked}");
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
    let text = sandbox.run_ok("show");
    assert!(text.contains("Input from dir:") && text.contains("last changed 20"), "{text}");

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

/// Prints a page on paper of a size, as a browser does.
fn print(sandbox: &Sandbox, page: &str, paper: &str) -> (usize, Vec<String>) {
    let html = read(sandbox, page);
    // The policy allows no other style, so this copy has none.
    let (before, rest) = html.split_once("<meta http-equiv=\"Content-Security-Policy\"").unwrap();
    let rest = rest.split_once('>').unwrap().1;
    let style = format!("<style>@page {{ size: {paper}; }}</style></head>");
    let copy = format!("{before}{rest}").replacen("</head>", &style, 1);
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
    pages(&to)
}

/// Both pages have their content on paper of both sizes: neither on one endless page, nor with a
/// page per row.
#[test]
fn report_and_certificate_print_on_both_sizes_of_paper() {
    let sandbox = with_run("41");
    sandbox.run_ok("report --out run.html");
    sandbox.run_ok("report --audit --out certificate.html");
    for (page, least, most) in [("run.html", 3, 40), ("certificate.html", 3, 8)] {
        for (paper, width, height) in [("A4", 594, 841), ("Letter", 612, 792)] {
            let (pages, sizes) = print(&sandbox, page, paper);
            assert!((least..=most).contains(&pages), "{page} has {pages} pages of {paper}");
            let [size] = &sizes[..] else { panic!("{page}: {sizes:?}") };
            let numbers: Vec<u32> = size
                .split_whitespace()
                .map(|number| number.split('.').next().unwrap().parse().unwrap())
                .collect();
            assert_eq!(numbers, [0, 0, width, height], "{page} on {paper}");
        }
    }
}
