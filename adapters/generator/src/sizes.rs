//! The sizes of snapshots (5.1).

use std::fmt;
use std::str::FromStr;

use crate::error::GenerateError;

/// The three sizes of 5.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// A real tenant: 11,674 loans.
    Demo,
    /// 100,000 loans.
    L,
    /// 1,000,000 loans.
    Xl,
}

impl Scale {
    /// All scales, smallest first.
    pub const ALL: [Self; 3] = [Self::Demo, Self::L, Self::Xl];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::L => "l",
            Self::Xl => "xl",
        }
    }

    /// Its row in the table of 5.1.
    pub const fn sizes(self) -> Sizes {
        match self {
            Self::Demo => Sizes {
                loans: 11_674,
                trades: 8_902,
                open_trades: 260,
                pools: 6_246,
                instruments: 120,
                constraints: 160,
                carry_rows: 295,
            },
            Self::L => Sizes {
                loans: 100_000,
                trades: 20_000,
                open_trades: 2_000,
                pools: 40_000,
                instruments: 300,
                constraints: 400,
                carry_rows: 1_000,
            },
            Self::Xl => Sizes {
                loans: 1_000_000,
                trades: 100_000,
                open_trades: 10_000,
                pools: 200_000,
                instruments: 600,
                constraints: 800,
                carry_rows: 2_000,
            },
        }
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no scale has.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no scale; use demo, l, or xl")]
pub struct UnknownScale(pub String);

impl FromStr for Scale {
    type Err = UnknownScale;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|scale| scale.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownScale(text.to_owned()))
    }
}

/// The numbers of rows of the sized tables. Those of the other tables follow from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Rows of `loan`.
    pub loans: u32,
    /// Rows of `pscat_trades`.
    pub trades: u32,
    /// Those with status `open`. A few of them are not in the run: past, beyond the horizon, paired
    /// off, or without a settlement date.
    pub open_trades: u32,
    /// Rows of `pscat_pools`.
    pub pools: u32,
    /// Rows of `pscat_instruments`.
    pub instruments: u32,
    /// Rows of `pfill_constraints`: investor nodes first, then a node for each instrument, then
    /// sub-constraints.
    pub constraints: u32,
    /// Rows of `pfill_carry_cost`.
    pub carry_rows: u32,
}

impl Sizes {
    /// The same sizes with this number of trades. The share of open ones stays.
    #[must_use]
    pub fn with_trades(self, trades: u32) -> Self {
        let open = u64::from(self.open_trades) * u64::from(trades);
        let open = open.div_ceil(u64::from(self.trades.max(1)));
        // At most `trades`, because the share is at most 1.
        Self { trades, open_trades: u32::try_from(open).unwrap_or(trades).min(trades), ..self }
    }

    pub(crate) fn check(&self) -> Result<(), GenerateError> {
        let refuse = |size, value, reason| Err(GenerateError::Sizes { size, value, reason });
        if self.open_trades > self.trades {
            return refuse("open_trades", self.open_trades, "there are fewer trades than that");
        }
        let naming = [self.trades, self.pools, self.carry_rows];
        if self.instruments == 0 && naming.iter().any(|rows| *rows > 0) {
            return refuse("instruments", 0, "a trade, a pool and a carry row name an instrument");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Scale;

    #[test]
    fn fewer_trades_keep_the_open_share() {
        let sizes = Scale::Demo.sizes();
        assert_eq!(sizes.with_trades(8_902).open_trades, 260);
        assert_eq!(sizes.with_trades(100).open_trades, 3);
        assert_eq!(sizes.with_trades(1).open_trades, 1);
        assert_eq!(sizes.with_trades(0).open_trades, 0);
    }

    #[test]
    fn scales_are_read_by_name() {
        assert_eq!("XL".parse::<Scale>().unwrap(), Scale::Xl);
        assert_eq!(
            "xxl".parse::<Scale>().unwrap_err().to_string(),
            "\"xxl\" is no scale; use demo, l, or xl"
        );
    }
}
