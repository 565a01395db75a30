//! The same seed gives the same bytes; a book has the requested sizes and is valid by the rules of
//! 1.2; it is written whole or not at all.

mod reading;

use std::fs;
use std::path::Path;

use powerfill_generator::{GenerateError, GeneratedBook, Scale, Sizes, generate};
use reading::read_valid;

/// A book that is generated quickly and has every kind of row.
const SMALL: Sizes = Sizes {
    loans: 2_000,
    trades: 900,
    open_trades: 120,
    pools: 700,
    instruments: 80,
    constraints: 120,
    carry_rows: 200,
};

/// A digest of the tables, names and bytes.
fn digest(folder: &Path) -> String {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    let mut hasher = blake3::Hasher::new();
    for file in files {
        hasher.update(file.file_name().unwrap().as_encoded_bytes());
        hasher.update(&fs::read(file).unwrap());
    }
    hasher.finalize().to_hex().to_string()
}

fn write(sizes: &Sizes, seed: u64, folder: &Path) -> GeneratedBook {
    generate(sizes, seed, folder).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let place = tempfile::tempdir().unwrap();
    let [first, second, other] = ["first", "second", "other"].map(|name| place.path().join(name));
    write(&SMALL, 7, &first);
    write(&SMALL, 7, &second);
    write(&SMALL, 8, &other);
    assert_eq!(digest(&first), digest(&second));
    assert_ne!(digest(&first), digest(&other));
    // The digest is the same on every machine. It changes only with an intended change of the
    // books.
    assert_eq!(digest(&first), "7e426f8ea44150b7f29f9adf13b1fda7f040a8e6c6d7f2a13088eeff058a8e4f");
}

#[test]
fn more_rows_of_one_table_change_no_other_table() {
    let place = tempfile::tempdir().unwrap();
    let [plain, more] = ["plain", "more"].map(|name| place.path().join(name));
    write(&SMALL, 7, &plain);
    write(&Sizes { carry_rows: 300, constraints: 200, ..SMALL }, 7, &more);
    for table in ["loan.csv", "pscat_trades.csv", "pscat_pools.csv", "rmcat_todays_prices.csv"] {
        let read = |folder: &Path| fs::read(folder.join(table)).unwrap();
        assert!(read(&plain) == read(&more), "{table}");
    }
}

#[test]
fn a_book_has_the_requested_rows() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("book");
    let written = write(&SMALL, 1, &folder);
    let expected = [
        ("loan", SMALL.loans),
        ("pscat_trades", SMALL.trades),
        ("pscat_pools", SMALL.pools),
        ("pscat_instruments", SMALL.instruments),
        ("pfill_constraints", SMALL.constraints),
        ("pfill_carry_cost", SMALL.carry_rows),
        ("snapshot", 1),
    ];
    for (table, rows) in expected {
        assert_eq!(written.rows(table), Some(u64::from(rows)), "{table}");
    }
    let on_disk: u64 =
        fs::read_dir(&folder).unwrap().map(|it| it.unwrap().metadata().unwrap().len()).sum();
    assert_eq!(written.bytes(), on_disk);
    assert_eq!(written.tables.len(), 17);

    let snapshot = read_valid(&folder);
    let open = snapshot.trades.iter().filter(|trade| trade.status.as_str() == "open").count();
    assert_eq!(open, SMALL.open_trades as usize);
}

#[test]
fn the_demo_book_is_valid_and_has_its_sizes() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("book");
    let sizes = Scale::Demo.sizes();
    write(&sizes, 1, &folder);
    let snapshot = read_valid(&folder);
    assert_eq!(snapshot.loans.len(), 11_674);
    assert_eq!(snapshot.trades.len(), 8_902);
    assert_eq!(snapshot.pools.len(), 6_246);
    assert_eq!(snapshot.instruments.len(), 120);
    assert_eq!(snapshot.constraints.len(), 160);
    assert_eq!(snapshot.carry_costs.len(), 295);
    // The marginals of 5.1, within what is random.
    let share = |count: usize| count * 100 / snapshot.loans.len();
    let with_term = |months: i64| {
        let terms = snapshot.loans.iter().filter_map(|loan| loan.term_months);
        share(terms.filter(|term| *term == months.into()).count())
    };
    assert!((89..=92).contains(&with_term(360)), "{}", with_term(360));
    assert!((6..=8).contains(&with_term(180)), "{}", with_term(180));
    let pooled = snapshot.loans.iter().filter(|loan| loan.pool_name.is_some()).count();
    assert!((88..=95).contains(&share(pooled)), "{}", share(pooled));
}

#[test]
fn every_size_from_zero_is_valid() {
    let place = tempfile::tempdir().unwrap();
    let none = Sizes {
        loans: 0,
        trades: 0,
        open_trades: 0,
        pools: 0,
        instruments: 0,
        constraints: 0,
        carry_rows: 0,
    };
    let demo = Scale::Demo.sizes();
    let books = [
        none,
        Sizes { loans: 50, ..none },
        Sizes { instruments: 1, ..none },
        Sizes { loans: 3, trades: 1, open_trades: 1, instruments: 1, constraints: 1, ..none },
        Sizes { loans: 50, pools: 4, instruments: 2, ..none },
        Sizes { loans: 50, trades: 9, pools: 30, instruments: 3, constraints: 2, ..none },
        Sizes { loans: 50, ..demo },
        Sizes { loans: 50, ..demo.with_trades(40) },
        Sizes { loans: 400, pools: 3, constraints: 90, carry_rows: 40, ..demo.with_trades(60) },
        Sizes { loans: 400, instruments: 5, constraints: 400, ..demo.with_trades(300) },
        Sizes { loans: 900, instruments: 500, open_trades: 900, ..demo.with_trades(2_000) },
        Sizes { loans: 10, trades: 700, open_trades: 700, pools: 3, instruments: 40, ..none },
    ];
    for (seed, sizes) in (0_u64..).zip(books) {
        let folder = place.path().join(seed.to_string());
        let written = write(&sizes, seed, &folder);
        assert_eq!(written.rows("loan"), Some(u64::from(sizes.loans)), "{sizes:?}");
        assert_eq!(written.rows("pfill_constraints"), Some(u64::from(sizes.constraints)));
        read_valid(&folder);
    }
}

#[test]
fn a_folder_that_is_not_empty_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("book");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("mine.txt"), "mine").unwrap();
    let error = generate(&SMALL, 1, &folder).unwrap_err();
    assert!(matches!(error, GenerateError::NotEmpty { .. }));
    assert!(error.to_string().contains("is not empty"), "{error}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    // Nothing is left beside it either.
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);

    let error = generate(&SMALL, 1, &folder.join("mine.txt")).unwrap_err();
    assert!(matches!(error, GenerateError::NotAFolder { .. }), "{error}");
}

#[test]
fn an_empty_folder_and_a_missing_parent_are_accepted() {
    let place = tempfile::tempdir().unwrap();
    let sizes = Sizes { loans: 5, ..SMALL };
    let empty = place.path().join("empty");
    fs::create_dir(&empty).unwrap();
    write(&sizes, 1, &empty);
    let deep = place.path().join("some").join("where").join("book");
    write(&sizes, 1, &deep);
    assert_eq!(digest(&empty), digest(&deep));
    let beside = fs::read_dir(deep.parent().unwrap()).unwrap().count();
    assert_eq!(beside, 1);
}

#[test]
fn sizes_that_contradict_each_other_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("book");
    let more_open = Sizes { trades: 3, open_trades: 4, ..SMALL };
    let error = generate(&more_open, 1, &folder).unwrap_err();
    assert_eq!(
        error.to_string(),
        "open_trades = 4 is not possible: there are fewer trades than that"
    );
    let nothing_to_trade = Sizes { instruments: 0, ..SMALL };
    assert!(generate(&nothing_to_trade, 1, &folder).is_err());
    assert!(!folder.exists());
}

#[test]
fn a_parent_that_is_a_file_is_an_error_that_names_it() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    let error = generate(&SMALL, 1, &file.join("book")).unwrap_err();
    assert!(error.to_string().contains("book"), "{error}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
}
