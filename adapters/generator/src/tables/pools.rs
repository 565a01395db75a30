//! Tables `pscat_pools`, `pscat_trades_pools_relation`, and `pfill_lockdown_guide`.

use crate::book::TradeBook;
use crate::catalog::Catalog;
use crate::dice::{Dice, Topic};
use crate::error::GenerateError;
use crate::folder::{Folder, Table};
use crate::pools::{Pools, pool_name};
use crate::settled::{PastStatus, PastTrades, scrambled, trade_id};

/// One of this many lockdown rows of past pools names a pool that does not exist, which preflight
/// reports (2.2).
const GONE_EVERY: u64 = 60;

struct Tables {
    pools: Table,
    relation: Table,
    lockdown: Table,
    dice: Dice,
    lockdown_rows: u64,
}

impl Tables {
    fn pool(
        &mut self,
        name: &str,
        instrument: &str,
        is_closed: bool,
        trade: Option<&str>,
    ) -> Result<(), GenerateError> {
        let status = if is_closed { "closed" } else { "open" };
        self.pools.row(&[name, instrument, status])?;
        trade.map_or(Ok(()), |trade| self.relation.row(&[name, trade]))
    }

    /// Half of the rows of the guide repeat the designation of the pool.
    fn lock(
        &mut self,
        name: &str,
        instrument: &str,
        trade: Option<&str>,
        is_locked: bool,
    ) -> Result<(), GenerateError> {
        let (instrument, trade) = if self.dice.permille(500) {
            (instrument, trade.unwrap_or_default())
        } else {
            ("", "")
        };
        self.lockdown_rows += 1;
        self.lockdown.row(&[name, instrument, trade, if is_locked { "Y" } else { "N" }])
    }
}

pub(crate) fn write(
    folder: &mut Folder,
    catalog: &Catalog,
    book: &TradeBook,
    pools: &Pools,
    past: &PastTrades,
    seed: u64,
) -> Result<(), GenerateError> {
    let mut tables = Tables {
        pools: folder.table("pscat_pools")?,
        relation: folder.table("pscat_trades_pools_relation")?,
        lockdown: folder.table("pfill_lockdown_guide")?,
        dice: Dice::new(seed, Topic::LockdownRows),
        lockdown_rows: 0,
    };
    write_settled(&mut tables, catalog, pools.settled, past)?;
    write_open(&mut tables, catalog, book, pools, past)?;
    write_loose(&mut tables, catalog, pools, past, seed)?;
    folder.close(tables.pools)?;
    folder.close(tables.relation)?;
    folder.close(tables.lockdown)
}

fn write_settled(
    tables: &mut Tables,
    catalog: &Catalog,
    settled: u32,
    past: &PastTrades,
) -> Result<(), GenerateError> {
    for number in 0..settled {
        let trade = past.trade_of(number);
        // Without past trades, the pools belong to the first instrument.
        let at = trade.map_or(0, |trade| past.instrument(trade));
        let instrument = &catalog.instruments[at as usize].name;
        let is_closed = past.is_closed(number);
        let designated = trade.filter(|_| past.is_designated(number)).map(trade_id);
        let name = pool_name(number);
        tables.pool(&name, instrument, is_closed, designated.as_deref())?;
        if is_closed && tables.dice.permille(20) {
            tables.lock(&name, instrument, designated.as_deref(), true)?;
            if tables.lockdown_rows % GONE_EVERY == 1 {
                tables.lock(&format!("{name}-GONE"), instrument, None, true)?;
            }
        }
    }
    Ok(())
}

fn write_open(
    tables: &mut Tables,
    catalog: &Catalog,
    book: &TradeBook,
    pools: &Pools,
    past: &PastTrades,
) -> Result<(), GenerateError> {
    for (number, pool) in (pools.settled..).zip(&pools.open) {
        let trade = book.trade(pool.trade);
        let instrument = &catalog.instruments[trade.instrument as usize].name;
        let trade_id = past.open_trade_id(pool.trade);
        let name = pool_name(number);
        tables.pool(&name, instrument, pool.is_closed, Some(&trade_id))?;
        if let Some(is_locked) = pool.lockdown {
            tables.lock(&name, instrument, Some(&trade_id), is_locked)?;
        }
    }
    Ok(())
}

/// Half of the loose pools have a canceled or phantom trade; the others have none.
fn write_loose(
    tables: &mut Tables,
    catalog: &Catalog,
    pools: &Pools,
    past: &PastTrades,
    seed: u64,
) -> Result<(), GenerateError> {
    let mut dice = Dice::new(seed, Topic::PoolRows);
    // No more than `pools`, which is 32 bits wide.
    let first = pools.settled + pools.open.len() as u32;
    for number in first..first + pools.loose {
        let at = dice.index(catalog.instruments.len());
        let dropped = (0..past.trades)
            .rev()
            .skip(scrambled(number) as usize % 400)
            .find(|trade| PastStatus::from_number(*trade) != PastStatus::Settled)
            .filter(|_| dice.permille(500));
        let at = dropped.map_or(at, |trade| past.instrument(trade) as usize);
        let trade = dropped.map(trade_id);
        let instrument = &catalog.instruments[at].name;
        tables.pool(&pool_name(number), instrument, false, trade.as_deref())?;
    }
    Ok(())
}
