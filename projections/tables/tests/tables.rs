//! Given these events, then these rows: each table by hand (specification 1.5).

use eventually::projection::Projection;
use eventually::store::Persisted;
use futures::executor::block_on;
use powerfill_events::input::InstrumentKind;
use powerfill_events::run::RunEvent;
use powerfill_events::run::event::*;
use powerfill_eventually::{DeliveredEvent, RunTablesError, RunTablesProjection};
use powerfill_fixtures::*;
use powerfill_tables::RunTables;
use powerfill_tables::table::{CellType, RowBatch};
use powerfill_tables::tables::{ALL, decisions, named, projectors};

fn boxed(placed: LoanAllocated) -> RunEvent {
    RunEvent::LoanAllocated(Box::new(placed))
}

#[test]
fn the_list_is_that_of_the_specification() {
    let names: Vec<_> = ALL.iter().map(|table| table.name).collect();
    assert_eq!(
        names,
        [
            "pfill_preflight_findings",
            "pfill_trade_base",
            "pfill_loan2trade_candy_level_01",
            "pfill_powerfill_guide",
            "pfill_pool_guide",
            "pfill_kickout_guide_01",
            "pfill_trade_recap",
            "pfill_loan_constraint_pool",
            "pfill_syn_trade_base",
            "pfill_syn_powerfill_guide_all_rank",
            "pfill_syn_powerfill_guide",
            "pfill_cash_market_map",
            "pfill_value_summary",
            "pfill_powerfill_log",
            "pfill_run_history",
        ]
    );
    assert_eq!(decisions().count(), 12);
    for (projector, table) in projectors().iter().zip(ALL) {
        assert!(std::ptr::eq(projector.table(), *table));
        assert!(std::ptr::eq(named(table.name).unwrap(), *table));
        for column in table.columns {
            let amount = column.name.ends_with("_amount");
            assert_eq!(amount, column.cell_type == CellType::Decimal(2), "{}", column.name);
        }
    }
}

#[test]
fn findings_come_by_check_then_subject() {
    let events = [preflight(vec![
        finding(FindingCode::PricesMissing, Severity::Warning, "b|2026-02-12"),
        finding(FindingCode::PricesMissing, Severity::Warning, "A|2026-02-12"),
        Finding {
            code: FindingCode::NoOpenTrades,
            severity: Severity::Error,
            subject: None,
            message: "no trade, none".into(),
        },
    ])];
    assert_eq!(
        rows("pfill_preflight_findings", &events),
        "NO_OPEN_TRADES,error,,\"no trade, none\"\n\
         PRICES_MISSING,warning,A|2026-02-12,what to do\n\
         PRICES_MISSING,warning,b|2026-02-12,what to do\n"
    );
}

#[test]
fn an_excluded_trade_shows_its_open_amount_only() {
    let events = [trade("T1", 900_000, 50_000), excluded("T2", ExclusionReason::Settled)];
    assert_eq!(
        rows("pfill_trade_base", &events),
        "T1,FNMA,FN 6.0,forward,2026-02-12,Y,,900000.00,90000.00,810000.00,990000.00,50000.00\n\
         T2,FNMA,FN 6.0,forward,2026-02-12,N,Settled,1000.00,,,,\n"
    );
}

#[test]
fn candidates_come_as_they_were_ranked() {
    let events = [candidate(1, 1, "B", "T1", "101.5"), candidate(2, 1, "A, Inc", "T2", "-0.5")];
    assert_eq!(
        rows("pfill_loan2trade_candy_level_01", &events),
        "1,1,FNMA,FN 6.0,,1,B,T1,38,101.50000000,0.00000000,0.00000000,101.50000000,101.50000000\n\
         2,1,FNMA,FN 6.0,,1,\"A, Inc\",T2,38,-0.50000000,0.00000000,0.00000000,-0.50000000,-0.50000000\n"
    );
}

/// Its last placement counts: a loan that was moved shows where it went, one that was taken out and
/// placed again the second placement, one that was taken out for good has no row.
#[test]
fn the_guide_shows_where_each_loan_ended_up() {
    let mut switching = allocated(("b", 290_000), ("T1", 290_000), Pass::BestFit, 1, "101");
    switching.prior_pool_name = Some("P0".into());
    switching.prior_trade_id = Some("T9".into());
    let events = [
        pinned("C", "PL", Some("T2"), HeldReason::Locked),
        pinned("D", "PX", None, HeldReason::TradeNotInRun),
        boxed(switching),
        boxed(allocated(("A", 100_000), ("T1", 390_000), Pass::BestFit, 2, "100.5")),
        boxed(allocated(("E", 100_000), ("T1", 490_000), Pass::BestFit, 3, "100.25")),
        RunEvent::LoanMoved(Box::new(moved(
            ("b", 290_000),
            ("T1", 200_000),
            ("T2", 290_000),
            Pass::FillRemaining,
            4,
            "100.875",
        ))),
        released(("A", 100_000), ("T1", 100_000), "F"),
        released(("E", 100_000), ("T1", 0), "F"),
        boxed(allocated(("E", 100_000), ("T1", 100_000), Pass::OrphanHandling, 5, "100.25")),
        posting(Some("T9"), "b", PoolAction::Switching, Some("P0"), Some("NEW-T2")),
        posting(Some("T2"), "b", PoolAction::SwappedIn, Some("P0"), Some("NEW-T2")),
        posting(Some("T2"), "C", PoolAction::Remaining, Some("PL"), Some("PL")),
        posting(None, "D", PoolAction::Remaining, Some("PX"), Some("PX")),
        posting(Some("T1"), "E", PoolAction::Joining, None, Some("P1")),
        posting(Some("T1"), "A", PoolAction::Leaving, Some("P1"), None),
    ];
    assert_eq!(
        rows("pfill_powerfill_guide", &events),
        "b,T2,NEW-T2,FNMA,FN 6.0,CA,2,fill_remaining,4,,290000.00,\
         100.87500000,0.00000000,0.00000000,100.87500000,100.87500000,2026-02-19,P0,T9,Switching\n\
         C,T2,PL,,,,,locked,,Locked,60000.00,101.00000000,0.00000000,,,101.00000000,2026-02-12,PL,T2,Remaining\n\
         D,,PX,,,,,held,,TradeNotInRun,60000.00,,,,,,,PX,,Remaining\n\
         E,T1,P1,FNMA,FN 6.0,,1,orphan_handling,5,,100000.00,\
         100.25000000,0.00000000,0.00000000,100.25000000,100.25000000,2026-02-12,,,Joining\n"
    );
}

#[test]
fn postings_kickouts_recap_and_blocks_come_as_they_were_decided() {
    let block = |hi: Option<i64>, lo: Option<i64>| {
        RunEvent::ConstraintBlockEvaluated(Box::new(ConstraintBlockEvaluated {
            node: node("CA", 2),
            trade_id: "T1".into(),
            lo_amount: lo.map(usd),
            hi_amount: hi.map(usd),
            used_amount: usd(100),
            used_share: hi.map(|_| "0.125".parse().unwrap()),
            lo_met: lo.map(|lo| lo <= 100),
        }))
    };
    let events = [
        block(Some(150), None),
        block(None, Some(200)),
        fill("T1", 900_000, 800_000, FillStatus::Under),
        kicked_out("L1", KickoutReason::CapacityExhausted, Some(("T1", "101.5"))),
        kicked_out("L2", KickoutReason::NoOpenTrade, None),
        posting(None, "L3", PoolAction::Switching, Some("P0"), Some("P1")),
        posting(Some("T1"), "L1", PoolAction::Leaving, Some("P1"), None),
    ];
    assert_eq!(
        rows("pfill_loan_constraint_pool", &events),
        "FNMA,FN 6.0,CA,T1,,150.00,100.00,0.125000,\nFNMA,FN 6.0,CA,T1,200.00,,100.00,,N\n"
    );
    assert_eq!(
        rows("pfill_trade_recap", &events),
        "T1,900000.00,810000.00,990000.00,800000.00,2,Under,10000.00,101.00000000,6.500000,712.500000,\n"
    );
    assert_eq!(
        rows("pfill_kickout_guide_01", &events),
        "L1,CapacityExhausted,1,1,T1,101.50000000,,290000.00\nL2,NoOpenTrade,1,0,,,,290000.00\n"
    );
    assert_eq!(
        rows("pfill_pool_guide", &events),
        ",L3,Switching,4,,P0,P0,P1,290000.00,101.00000000\n\
         T1,L1,Leaving,3,2026-02-12,P1,P1,,290000.00,\n"
    );
}

#[test]
fn the_synthetic_tables_come_from_three_events() {
    let best = option("FN 6.5", "101.25", 2, 1);
    let events = [
        synthetic("CASH", InstrumentKind::Cash, &[("6", "99"), ("6.125", "99.5")]),
        ranked("L1", vec![option("CASH", "101.5", 1, 2), best.clone()], Some(("T1", "101"))),
        ranked("L2", vec![best], None),
        RunEvent::CashMarketMapped(Box::new(CashMarketMapped {
            loan_id: "L1".into(),
            option: option("CASH", "101.5", 1, 2),
        })),
    ];
    let origin = "pfill_syn_powerfill_guide";
    let row = |loan: &str, instrument: &str, price: &str, ranks: &str| {
        format!(
            "{loan},SYN-{instrument}-2026-02-12,{instrument},2026-02-12,38,\
             {price},0.00000000,0.00000000,{price},{ranks},{origin}"
        )
    };
    let cash = row("L1", "CASH", "101.50000000", "1,2");
    let [one, two] = ["L1", "L2"].map(|loan| row(loan, "FN 6.5", "101.25000000", "2,1"));
    assert_eq!(
        rows("pfill_syn_trade_base", &events),
        format!(
            "SYN-CASH-2026-02-12,CHASE,CASH,cash,2026-02-12,6.000000,99.00000000,{origin}\n\
             SYN-CASH-2026-02-12,CHASE,CASH,cash,2026-02-12,6.125000,99.50000000,{origin}\n"
        )
    );
    assert_eq!(
        rows("pfill_syn_powerfill_guide_all_rank", &events),
        format!("{cash}\n{one}\n{two}\n")
    );
    assert_eq!(
        rows("pfill_syn_powerfill_guide", &events),
        format!("{cash},T1,101.00000000,0.50000000\n{two},,,\n")
    );
    assert_eq!(
        rows("pfill_cash_market_map", &events),
        "L1,CASH,2026-02-12,101.50000000,0.00000000,0.00000000,101.50000000\n"
    );
}

fn whole_run() -> Vec<RunEvent> {
    vec![
        requested(),
        started(&[("Eligible", 3), ("Locked", 1)], &[("Included", 1), ("Settled", 1)]),
        preflight(vec![finding(FindingCode::PricesStale, Severity::Warning, "2026-01-10")]),
        RunEvent::TradeSettlementSet(TradeSettlementSet {
            trade_id: "B1".into(),
            settlement_date: None,
        }),
        trade("T1", 500_000, 60_000),
        matched(&node("", 1), 1, 3),
        candidate(1, 1, "A", "T1", "101"),
        rejected("B", &[("T1", RejectionReason::NoPrice)]),
        boxed(allocated(("A", 400_000), ("T1", 460_000), Pass::BestFit, 1, "101")),
        pass(Pass::ExactFit, Some(1), 0, 0),
        pass(Pass::BestFit, Some(1), 1, 0),
        RunEvent::PassCompleted(PassCompleted {
            pass: Pass::FillRemaining,
            turn: Some(1),
            allocated: 0,
            moved: 0,
            released: 0,
            iterations: 20,
            converged: false,
        }),
        pass(Pass::OrphanHandling, None, 0, 0),
        fill("T1", 500_000, 460_000, FillStatus::Filled),
        kicked_out("B", KickoutReason::NoPrice, None),
        posting(Some("T1"), "A", PoolAction::Joining, None, Some("P1")),
        ranked("A", vec![option("CASH", "101.5", 1, 1)], Some(("T1", "101"))),
        RunEvent::InvariantsVerified(InvariantsVerified {
            checks: vec![InvariantCheck {
                invariant: 1,
                statement: "each eligible loan is allocated or kicked out".into(),
                checked: 3,
            }],
        }),
    ]
}

#[test]
fn the_log_has_a_line_a_step() {
    let mut events = whole_run();
    events.push(completed(&[("pfill_powerfill_guide", 2), ("pfill_kickout_guide_01", 1)], "cafe"));
    assert_eq!(
        rows("pfill_powerfill_log", &events),
        "1,validation,\"loans: Eligible 3, Locked 1; trades: Included 1, Settled 1\",4\n\
         2,preflight,\"errors 0, warnings 1\",1\n\
         3,bx_cash_grids,instruments 0,0\n\
         4,bx_settle_and_price,\"trades given a settlement date 0, without one to take 1\",0\n\
         5,candidate_builder,\"constraints 1, turns 1; pairs rejected: NoPrice 1\",1\n\
         6,allocation,\"turn 1, exact_fit: allocated 0, moved 0, released 0\",0\n\
         7,allocation,\"turn 1, best_fit: allocated 1, moved 0, released 0\",1\n\
         8,allocation,\"turn 1, fill_remaining: allocated 0, moved 0, released 0; rounds 20, \
         stopped by their bound\",0\n\
         9,allocation,\"orphan_handling: allocated 0, moved 0, released 0\",0\n\
         10,allocation,\"loans placed 1, kicked out 1; trades: Filled 1; constraint blocks 0\",1\n\
         11,pool_guide,Joining 1,1\n\
         12,ue,\"synthetic trades 0; loans with an option 1, with a cash option 0\",1\n\
         13,invariants,invariants that hold 1,3\n\
         14,complete,output digest cafe,3\n"
    );
}

#[test]
fn the_log_of_a_refused_run_ends_where_it_failed() {
    let events = [
        requested(),
        started(&[], &[]),
        preflight(vec![finding(FindingCode::PipelineEmpty, Severity::Error, "0")]),
        failed(Step::Preflight),
    ];
    assert_eq!(
        rows("pfill_powerfill_log", &events),
        "1,validation,loans: none; trades: none,0\n\
         2,preflight,\"errors 1, warnings 0\",1\n\
         3,failed,preflight: PREFLIGHT_REFUSED: 2 errors; see the findings,\n"
    );
}

/// `at(n)` events of a run are recorded one second apart, from 1970 on.
#[test]
fn the_history_says_what_became_of_a_run() {
    let options = r#""{""scope"":""closed_and_locked"",""price_mode"":""po"",""min_status"":""Closed"",""max_eligible_days"":30,""max_trade_settle_days"":60,""eligible_settle_buffer_days"":0,""bx_price_floor"":null,""exact_fit_variance"":""0.010000"",""max_fill_iterations"":20,""switch_threshold"":""0.00000000"",""as_of"":""2026-01-15""}""#;
    let at = |second: u8| format!("1970-01-01T00:00:0{second}.000000Z");
    let row = |status: &str, rest: &str| format!("ACME,{status},{options},dana,{},{rest}\n", at(0));
    let history = |events: &[RunEvent]| rows("pfill_run_history", events);
    assert_eq!(history(&[]), "");
    let mut events = vec![requested()];
    assert_eq!(history(&events), row("Pending", ",,,,ab12,,"));
    events.push(started(&[], &[]));
    assert_eq!(history(&events), row("PreProcessing", &format!("{},,,,ab12,,", at(1))));
    let mut cancelled = events.clone();
    cancelled.push(RunEvent::RunCancelled(RunCancelled {
        cancelled_by: "eve".into(),
        step: Step::Allocation,
    }));
    let rest = format!("{},{},allocation,cancelled by eve,ab12,,", at(1), at(2));
    assert_eq!(history(&cancelled), row("Cancelled", &rest));
    events.push(matched(&node("", 1), 1, 3));
    assert_eq!(history(&events), row("Allocating", &format!("{},,,,ab12,,", at(1))));
    events.push(posting(None, "A", PoolAction::Joining, None, Some("P1")));
    assert_eq!(history(&events), row("PostProcessing", &format!("{},,,,ab12,,", at(1))));
    let mut broken = events.clone();
    broken.push(failed(Step::Record));
    let rest = format!("{},{},record,2 errors; see the findings,ab12,,", at(1), at(4));
    assert_eq!(history(&broken), row("Failed", &rest));
    events.push(completed(&[("pfill_pool_guide", 1)], "cafe"));
    let rest = format!("{},{},,,ab12,cafe,\"{{\"\"pfill_pool_guide\"\":1}}\"", at(1), at(4));
    assert_eq!(history(&events), row("Complete", &rest));
}

#[test]
fn counts_and_digest_are_those_of_the_rows_and_can_be_asked_for_early_and_again() {
    let events = whole_run();
    let mut tables = RunTables::new();
    recorded(&events).for_each(|event| tables.apply(&event));
    assert!(tables.history_row().is_some());
    let completed = tables.complete();
    assert_eq!(completed, tables.complete());
    assert_eq!(completed.counts["pfill_powerfill_guide"], 1);
    assert_eq!(completed.counts["pfill_loan_constraint_pool"], 0);
    assert_eq!(completed.counts.len(), decisions().count());

    let mut with_end = events.clone();
    with_end.push(RunEvent::RunCompleted(Box::new(completed.clone())));
    tables.apply(&recorded(&with_end).last().unwrap());
    let batches = tables.finish();
    assert!(tables.finish().is_empty() && tables.drain().is_empty());
    for (name, rows) in &completed.counts {
        let batch = batches.iter().find(|batch| batch.table.name == name);
        assert_eq!(batch.map_or(0, RowBatch::len) as u64, *rows, "{name}");
    }
    assert!(batches.iter().any(|batch| batch.table.name == "pfill_powerfill_log"));

    // The digest is what `b3sum` says of the CSV files without run_id, hashed once more.
    let mut lines = String::new();
    for table in decisions() {
        let mut text = Vec::new();
        powerfill_tables::csv::write_header(table, &mut text);
        for batch in batches.iter().filter(|batch| batch.table == table) {
            text.extend_from_slice(csv(batch).as_bytes());
        }
        lines.push_str(&format!("{}  {}\n", blake3::hash(&text), table.name));
    }
    assert_eq!(blake3::hash(lines.as_bytes()).to_string(), completed.output_digest);
}

#[test]
fn a_subscription_of_eventually_feeds_the_same_tables() {
    let events = whole_run();
    let mut tables = RunTables::new();
    recorded(&events).for_each(|event| tables.apply(&event));
    let mut following = RunTablesProjection::new(run_id());
    let persisted = |version: u32, event: &RunEvent, run_id| {
        let delivered = DeliveredEvent {
            event: event.clone(),
            recorded_at: recorded(&events).next().unwrap().recorded_at,
            actor: "desk".into(),
        };
        Persisted::from(run_id, delivered).version(version).sequence_number(version)
    };
    for (version, event) in (1..).zip(&events) {
        // What comes twice counts once.
        for _ in 0..2 {
            block_on(following.project(persisted(version, event, run_id()))).unwrap();
        }
    }
    assert_eq!(following.tables().complete(), tables.complete());
    let next = events.len() as u32 + 1;
    let gap = block_on(following.project(persisted(next + 1, &events[0], run_id())));
    assert_eq!(gap, Err(RunTablesError::Gap { expected: next, found: next + 1 }));
    let other = "01970000-0000-7000-8000-000000000002".parse().unwrap();
    let refused = block_on(following.project(persisted(next, &events[0], other)));
    assert_eq!(refused, Err(RunTablesError::AnotherRun(other)));
}
