//! Medians and percentiles.

/// The value that `percent` of the values do not exceed; 0 without values. Sorts them.
pub(crate) fn percentile(values: &mut [f64], percent: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (real(values.len() as u64) * percent / 100.0).ceil().max(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank lies between 1 and the length"
    )]
    let index = rank as usize - 1;
    values.get(index).copied().unwrap_or_default()
}

/// The middle value, of an even number the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(sorted[middle - 1], upper))
}

/// A count as a number to divide with.
#[expect(clippy::cast_precision_loss, reason = "counts and sizes here stay far below 2^52")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_percentiles() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        let mut hundred: Vec<f64> = (1..=100).map(f64::from).rev().collect();
        assert_eq!(percentile(&mut hundred, 99.0).to_string(), "99");
        assert_eq!(percentile(&mut [7.0], 99.0).to_string(), "7");
    }
}
