//! Values as bytes, one after the other, without names: both sides know what comes.
//!
//! Numbers are written in groups of seven bits, the lowest first (LEB128), signed ones in zigzag order; doubles are eight bytes, the
//! lowest first. Texts, lists and maps begin with their length; what may be absent, and each variant, begins with a byte that tells
//! which. What policies share is written where it first occurs, and named by its number later.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::cel::Program;
use crate::table::Condition;

/// Lists in lists, and trees, nest no deeper: what is deeper was not written by us.
const MAX_DEPTH: u16 = 300;

/// Why bytes are no payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub(super) &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Malformed {}

pub(super) type Read<T> = Result<T, Malformed>;

/// What can be written and read again.
pub(super) trait Wire: Sized {
    fn write(&self, out: &mut Writer);
    fn read(from: &mut Reader<'_>) -> Read<Self>;
}

/// Bytes in the making.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    programs: FxHashMap<*const Program, u32>,
    conditions: FxHashMap<*const Condition, u32>,
}

impl Writer {
    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(0x80 | low_byte(number));
            number >>= 7;
        }
        self.bytes.push(low_byte(number));
    }

    fn length(&mut self, length: usize) {
        self.number(length as u64);
    }

    fn all<'i, T: Wire + 'i>(&mut self, items: impl ExactSizeIterator<Item = &'i T>) {
        self.length(items.len());
        items.for_each(|item| item.write(self));
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the lowest seven bits are what is meant")]
fn low_byte(number: u64) -> u8 {
    (number & 0x7f) as u8
}

/// Bytes that nobody vouches for.
pub(super) struct Reader<'b> {
    rest: &'b [u8],
    depth: u16,
    programs: Vec<Arc<Program>>,
    conditions: Vec<Arc<Condition>>,
}

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes, depth: 0, programs: Vec::new(), conditions: Vec::new() }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn byte(&mut self) -> Read<u8> {
        Ok(self.take(1)?[0])
    }

    fn take(&mut self, length: usize) -> Read<&'b [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn number(&mut self) -> Read<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Malformed("a number is too large"))
    }

    /// How many items follow, each of which has a byte at least.
    fn length(&mut self) -> Read<usize> {
        let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if length > self.rest.len() {
            return Err(Malformed("a length exceeds what is there"));
        }
        Ok(length)
    }

    fn text(&mut self) -> Read<&'b str> {
        let length = self.length()?;
        std::str::from_utf8(self.take(length)?).map_err(|_| Malformed("a text is not UTF-8"))
    }

    /// Reads what may hold more of its kind.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth >= MAX_DEPTH {
            return Err(Malformed("it is nested too deep"));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn all<T: Wire>(&mut self) -> Read<Vec<T>> {
        let length = self.length()?;
        // Items in memory are larger than bytes: a length alone reserves little.
        let mut items = Vec::with_capacity(length.min(1024));
        for _ in 0..length {
            items.push(T::read(self)?);
        }
        Ok(items)
    }
}

impl Wire for u32 {
    fn write(&self, out: &mut Writer) {
        out.number(u64::from(*self));
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Self::try_from(from.number()?).map_err(|_| Malformed("a number is too large"))
    }
}

impl Wire for u16 {
    fn write(&self, out: &mut Writer) {
        out.number(u64::from(*self));
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Self::try_from(from.number()?).map_err(|_| Malformed("a number is too large"))
    }
}

impl Wire for u8 {
    fn write(&self, out: &mut Writer) {
        out.byte(*self);
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        from.byte()
    }
}

impl Wire for u64 {
    fn write(&self, out: &mut Writer) {
        out.number(*self);
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        from.number()
    }
}

impl Wire for i64 {
    fn write(&self, out: &mut Writer) {
        out.number((self << 1 ^ self >> 63).cast_unsigned());
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        let number = from.number()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }
}

impl Wire for f64 {
    fn write(&self, out: &mut Writer) {
        out.bytes.extend_from_slice(&self.to_bits().to_le_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        let bytes = from.take(8)?.try_into().map_err(|_| Malformed("it ends too early"))?;
        Ok(Self::from_bits(u64::from_le_bytes(bytes)))
    }
}

impl Wire for bool {
    fn write(&self, out: &mut Writer) {
        out.byte(u8::from(*self));
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        match from.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed("a truth value is neither true nor false")),
        }
    }
}

impl Wire for Box<str> {
    fn write(&self, out: &mut Writer) {
        out.length(self.len());
        out.bytes.extend_from_slice(self.as_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Ok(from.text()?.into())
    }
}

impl Wire for Arc<str> {
    fn write(&self, out: &mut Writer) {
        out.length(self.len());
        out.bytes.extend_from_slice(self.as_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Ok(from.text()?.into())
    }
}

impl Wire for String {
    fn write(&self, out: &mut Writer) {
        out.length(self.len());
        out.bytes.extend_from_slice(self.as_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Ok(from.text()?.to_owned())
    }
}

impl<T: Wire> Wire for Box<[T]> {
    fn write(&self, out: &mut Writer) {
        out.all(self.iter());
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        from.all().map(Vec::into_boxed_slice)
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn write(&self, out: &mut Writer) {
        out.all(self.iter());
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        from.all()
    }
}

impl<T: Wire + Ord> Wire for BTreeSet<T> {
    fn write(&self, out: &mut Writer) {
        out.all(self.iter());
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Ok(from.all()?.into_iter().collect())
    }
}

impl<T: Wire> Wire for Option<T> {
    fn write(&self, out: &mut Writer) {
        out.byte(u8::from(self.is_some()));
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Ok(if bool::read(from)? { Some(T::read(from)?) } else { None })
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn write(&self, out: &mut Writer) {
        self.0.write(out);
        self.1.write(out);
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Ok((A::read(from)?, B::read(from)?))
    }
}

impl<A: Wire, B: Wire, C: Wire> Wire for (A, B, C) {
    fn write(&self, out: &mut Writer) {
        self.0.write(out);
        self.1.write(out);
        self.2.write(out);
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Ok((A::read(from)?, B::read(from)?, C::read(from)?))
    }
}

/// In the order of keys: a map in memory has no order that lasts.
impl<K: Wire + Ord + Hash, V: Wire> Wire for FxHashMap<K, V> {
    fn write(&self, out: &mut Writer) {
        let mut entries: Vec<(&K, &V)> = self.iter().collect();
        entries.sort_unstable_by_key(|(key, _)| *key);
        out.length(entries.len());
        for (key, value) in entries {
            key.write(out);
            value.write(out);
        }
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Ok(from.all::<(K, V)>()?.into_iter().collect())
    }
}

impl<T: Wire + Ord + Hash> Wire for FxHashSet<T> {
    fn write(&self, out: &mut Writer) {
        let mut items: Vec<&T> = self.iter().collect();
        items.sort_unstable();
        out.length(items.len());
        items.into_iter().for_each(|item| item.write(out));
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Ok(from.all()?.into_iter().collect())
    }
}

/// What several policies hold together.
pub(super) trait Shared: Wire {
    fn numbers(out: &mut Writer) -> &mut FxHashMap<*const Self, u32>;
    fn known<'r>(from: &'r mut Reader<'_>) -> &'r mut Vec<Arc<Self>>;
}

impl Shared for Program {
    fn numbers(out: &mut Writer) -> &mut FxHashMap<*const Self, u32> {
        &mut out.programs
    }

    fn known<'r>(from: &'r mut Reader<'_>) -> &'r mut Vec<Arc<Self>> {
        &mut from.programs
    }
}

impl Shared for Condition {
    fn numbers(out: &mut Writer) -> &mut FxHashMap<*const Self, u32> {
        &mut out.conditions
    }

    fn known<'r>(from: &'r mut Reader<'_>) -> &'r mut Vec<Arc<Self>> {
        &mut from.conditions
    }
}

impl<T: Shared> Wire for Arc<T> {
    fn write(&self, out: &mut Writer) {
        let numbers = T::numbers(out);
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        let number = *numbers.entry(Arc::as_ptr(self)).or_insert(next);
        number.write(out);
        if number == next {
            T::write(self, out);
        }
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        let number = u32::read(from)? as usize;
        let known = T::known(from);
        if let Some(value) = known.get(number) {
            return Ok(Arc::clone(value));
        }
        if number > known.len() {
            return Err(Malformed("something shared is named before it occurs"));
        }
        let value = Arc::new(T::read(from)?);
        T::known(from).push(Arc::clone(&value));
        Ok(value)
    }
}

/// Field by field.
macro_rules! fields {
    ($type:ident { $($field:ident),* $(,)? }) => {
        impl Wire for $type {
            fn write(&self, out: &mut Writer) {
                $(self.$field.write(out);)*
            }

            fn read(from: &mut Reader<'_>) -> Read<Self> {
                Ok(Self { $($field: Wire::read(from)?),* })
            }
        }
    };
}

/// A byte that tells the variant, then what it holds.
macro_rules! variants {
    ($type:ident { $($tag:literal => $variant:ident $(($($item:ident),+))? $({ $($field:ident),+ })?,)+ }) => {
        impl Wire for $type {
            fn write(&self, out: &mut Writer) {
                match self {
                    $($type::$variant $(($($item),+))? $({ $($field),+ })? => {
                        out.byte($tag);
                        $($($item.write(out);)+)?
                        $($($field.write(out);)+)?
                    })+
                }
            }

            fn read(from: &mut Reader<'_>) -> Read<Self> {
                Ok(match from.byte()? {
                    $($tag => $type::$variant
                        $(($({ let $item = Wire::read(from)?; $item }),+))?
                        $({ $($field: Wire::read(from)?),+ })?,)+
                    _ => return Err(Malformed(concat!("there is no such ", stringify!($type)))),
                })
            }
        }
    };
}

pub(super) use {fields, variants};
