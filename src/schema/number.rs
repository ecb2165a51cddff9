//! Multiples, exactly: `0.3` is a multiple of `0.1`, though no double is a tenth.

/// A decimal: `digits × 10^exponent`, without trailing zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: u64,
    exponent: i32,
}

impl Decimal {
    /// The shortest decimal that reads back as the same double; the sign is dropped. None for what is not finite.
    pub(super) fn of(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let text = format!("{:e}", value.abs());
        let (mantissa, exponent) = text.split_once('e')?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let exponent = exponent.parse::<i32>().ok()? - i32::try_from(fraction.len()).ok()?;
        // A double has at most 17 digits.
        Some(Self { digits: format!("{whole}{fraction}").parse().ok()?, exponent })
    }

    /// Whether this is a whole multiple of another decimal, which is not zero.
    pub(super) fn is_multiple_of(self, factor: Self) -> bool {
        if self.digits == 0 {
            return true;
        }
        let shift = self.exponent - factor.exponent;
        let (digits, factor) = (u128::from(self.digits), u128::from(factor.digits));
        if factor == 0 {
            return false;
        }
        let Ok(shift) = u32::try_from(shift) else {
            // The factor has the larger unit: scaled to ours, it may only get too large to divide anything.
            let scale = 10_u128.checked_pow(shift.unsigned_abs());
            let scaled = scale.and_then(|scale| factor.checked_mul(scale));
            return scaled.is_some_and(|factor| digits.is_multiple_of(factor));
        };
        (digits % factor * power_of_ten(shift, factor)).is_multiple_of(factor)
    }
}

/// `10^exponent` modulo `modulus`, which is below 2^64.
fn power_of_ten(mut exponent: u32, modulus: u128) -> u128 {
    let (mut power, mut square) = (1 % modulus, 10 % modulus);
    while exponent > 0 {
        if exponent % 2 == 1 {
            power = power * square % modulus;
        }
        square = square * square % modulus;
        exponent /= 2;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_multiple(value: f64, factor: f64) -> bool {
        Decimal::of(value).unwrap().is_multiple_of(Decimal::of(factor).unwrap())
    }

    #[test]
    fn multiples_are_exact() {
        for (value, factor) in [
            (0.3, 0.1),
            (1e308, 0.5),
            (-7.0, 3.5),
            (0.0, 0.01),
            (1.1, 0.01),
            (19.99, 0.01),
            (1e300, 1e-300),
            (0.0075, 0.0001),
            (12_391_239_123.0, 1e-8),
        ] {
            assert!(is_multiple(value, factor), "{value} {factor}");
        }
        for (value, factor) in
            [(0.35, 0.1), (7.0, 2.0), (1.0, 3.0), (0.007_51, 0.0001), (5.0, 1e300), (1e-300, 1e300)]
        {
            assert!(!is_multiple(value, factor), "{value} {factor}");
        }
        assert_eq!(Decimal::of(f64::NAN), None);
    }
}
