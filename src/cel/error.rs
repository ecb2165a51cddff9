//! What can go wrong while an expression is evaluated. The texts are those of cel-go, which policy authors know.

use std::fmt;

use bumpalo::Bump;

use super::Value;

/// An error of evaluation. It is a value: `&&`, `||` and the quantifiers may absorb it. Texts that
/// depend on the data live in the arena of the [`Activation`](super::Activation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvalError<'a> {
    /// A map has no such key, or something that is no map was asked for a field.
    NoSuchKey(&'a str),
    /// A variable, constant or global that is not set; for a variable also one whose evaluation failed.
    UndefinedField(&'a str),
    /// A list index below 0 or past the end.
    IndexOutOfBounds(i64),
    /// The operand types do not fit the operator.
    NoSuchOverload,
    /// Division by zero.
    DivisionByZero,
    /// Remainder of a division by zero.
    ModulusByZero,
    /// A result outside the 64-bit signed integers, of which durations are nanoseconds.
    IntOverflow,
    /// A result outside the 64-bit unsigned integers.
    UintOverflow,
    /// A timestamp outside the years 1 to 9999.
    TimestampOverflow,
    /// NaN where an order is needed: in a sort, or among numbers of which the greatest is wanted.
    NanOrdering,
    /// Variables that refer to each other in a circle, or too deeply.
    VariableRecursion,
    /// What a function has to say about its arguments.
    Message(&'a str),
}

/// What evaluation gives.
pub type EvalResult<'a> = Result<Value<'a>, EvalError<'a>>;

impl<'a> EvalError<'a> {
    /// An error with a text made for the occasion.
    #[must_use]
    pub fn message(arena: &'a Bump, text: fmt::Arguments<'_>) -> Self {
        Self::Message(bumpalo::format!(in arena, "{}", text).into_bump_str())
    }
}

impl fmt::Display for EvalError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchKey(key) => write!(f, "no such key: {key}"),
            Self::UndefinedField(name) => write!(f, "undefined field '{name}'"),
            Self::IndexOutOfBounds(index) => write!(f, "index out of bounds: {index}"),
            Self::NoSuchOverload => f.write_str("no such overload"),
            Self::DivisionByZero => f.write_str("division by zero"),
            Self::ModulusByZero => f.write_str("modulus by zero"),
            Self::IntOverflow => f.write_str("integer overflow"),
            Self::UintOverflow => f.write_str("unsigned integer overflow"),
            Self::TimestampOverflow => f.write_str("timestamp overflow"),
            Self::NanOrdering => f.write_str("NaN values cannot be ordered"),
            Self::VariableRecursion => f.write_str("cyclical variable definitions"),
            Self::Message(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for EvalError<'_> {}
