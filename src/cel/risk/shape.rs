//! What is known of a value before evaluation: the kinds that it can have, and what stands inside of it.

use std::ops::BitOr;

use super::{Bearer, Shapes, Step};
use crate::cel::{Const, Type};

/// A set of the kinds of value, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u16);

impl Kinds {
    /// No kind at all.
    pub const NEVER: Self = Self(0);
    /// `null`
    pub const NULL: Self = Self(1);
    /// `bool`
    pub const BOOL: Self = Self(1 << 1);
    /// `int`
    pub const INT: Self = Self(1 << 2);
    /// `uint`
    pub const UINT: Self = Self(1 << 3);
    /// `double`: every number of an attribute.
    pub const DOUBLE: Self = Self(1 << 4);
    /// `string`
    pub const STRING: Self = Self(1 << 5);
    /// `list`
    pub const LIST: Self = Self(1 << 6);
    /// `map`
    pub const MAP: Self = Self(1 << 7);
    pub(super) const BYTES: Self = Self(1 << 8);
    pub(super) const TIMESTAMP: Self = Self(1 << 9);
    pub(super) const DURATION: Self = Self(1 << 10);
    pub(super) const TYPE: Self = Self(1 << 11);
    pub(super) const OPTIONAL: Self = Self(1 << 12);
    /// The request and its parts.
    pub(super) const MESSAGE: Self = Self(1 << 13);
    /// What function libraries bring.
    pub(super) const OPAQUE: Self = Self(1 << 14);
    pub(super) const NUMBER: Self = Self(Self::INT.0 | Self::UINT.0 | Self::DOUBLE.0);
    /// What JSON can say.
    pub const JSON: Self =
        Self(Self::NULL.0 | Self::BOOL.0 | Self::DOUBLE.0 | Self::STRING.0 | Self::LIST.0 | Self::MAP.0);
    /// Every kind.
    pub const ANY: Self = Self((1 << 15) - 1);

    /// What kinds are called in a message.
    const NAMES: [(Self, &'static str); 14] = [
        (Self::NUMBER, "number"),
        (Self::STRING, "string"),
        (Self::BOOL, "boolean"),
        (Self::LIST, "list"),
        (Self::MAP, "map"),
        (Self::NULL, "null"),
        (Self::BYTES, "bytes"),
        (Self::TIMESTAMP, "timestamp"),
        (Self::DURATION, "duration"),
        (Self::TYPE, "type"),
        (Self::OPTIONAL, "optional"),
        (Self::DOUBLE, "number with a decimal point"),
        (Self::INT, "int"),
        (Self::UINT, "uint"),
    ];

    /// The kinds in both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether every kind of this set is in the other.
    #[must_use]
    pub fn within(self, other: Self) -> bool {
        self.without(other) == Self::NEVER
    }

    pub(super) fn each(self) -> impl Iterator<Item = Self> {
        (0..15).map(|bit| Self(1 << bit)).filter(move |kind| kind.within(self))
    }

    /// With all kinds of number if there is one: numbers of different kinds can be equal.
    pub(super) fn equal_kinds(self) -> Self {
        if self.and(Self::NUMBER) == Self::NEVER { self } else { self | Self::NUMBER }
    }

    /// `a`, `a or b`; nothing where that would be a long list.
    pub(super) fn describe(self) -> Option<String> {
        let mut left = self;
        let mut names = Vec::new();
        for (kinds, name) in Self::NAMES {
            if kinds.within(left) {
                names.push(name);
                left = left.without(kinds);
            }
        }
        (left == Self::NEVER && matches!(names.len(), 1..=2)).then(|| names.join(" or "))
    }

    /// The kind by the name of its type.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "null_type" => Self::NULL,
            _ => Type::named(name).map_or(Self::ANY, |ty| Self::of_type(&ty)),
        }
    }

    pub(super) fn of_type(ty: &Type) -> Self {
        match ty {
            Type::Dyn | Type::Error | Type::Param(_) => Self::ANY,
            Type::Null => Self::NULL,
            Type::Bool => Self::BOOL,
            Type::Int => Self::INT,
            Type::UInt => Self::UINT,
            Type::Double => Self::DOUBLE,
            Type::String => Self::STRING,
            Type::Bytes => Self::BYTES,
            Type::Timestamp => Self::TIMESTAMP,
            Type::Duration => Self::DURATION,
            Type::List(_) => Self::LIST,
            Type::Map(..) => Self::MAP,
            Type::Type(_) => Self::TYPE,
            Type::Optional(_) => Self::OPTIONAL,
            Type::Opaque(_) => Self::OPAQUE,
            Type::Message(_) => Self::MESSAGE,
            Type::Wrapper(inner) => Self::NULL | Self::of_type(inner),
        }
    }

    /// The kind of a constant.
    #[must_use]
    pub fn of_const(value: &Const) -> Self {
        match value {
            Const::Null => Self::NULL,
            Const::Bool(_) => Self::BOOL,
            Const::Int(_) => Self::INT,
            Const::UInt(_) => Self::UINT,
            Const::Double(_) => Self::DOUBLE,
            Const::String(_) => Self::STRING,
            Const::Bytes(_) => Self::BYTES,
            Const::List(_) => Self::LIST,
            Const::Map(_) => Self::MAP,
            Const::Timestamp(_) => Self::TIMESTAMP,
            Const::Duration(_) => Self::DURATION,
            Const::Type(_) => Self::TYPE,
        }
    }
}

impl BitOr for Kinds {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What is known of a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    pub(super) kinds: Kinds,
    /// Where the value can come from, which tells what stands inside of it.
    sources: Vec<Source>,
}

#[derive(Clone, Debug, PartialEq)]
enum Source {
    Unknown,
    /// An attribute, or a part of one.
    Attribute {
        of: Bearer,
        path: Vec<Step>,
        date_time: bool,
    },
    Const(Const),
    /// The time of the request, or a time that is a constant away from it.
    Clock,
    Typed(Type),
    /// A list, map or optional of values of one shape.
    Container(Box<Shape>),
}

/// Values that can come from more places than this are not told apart.
const MAX_SOURCES: usize = 8;

impl Shape {
    pub(super) fn unknown(kinds: Kinds) -> Self {
        Self { kinds, sources: vec![Source::Unknown] }
    }

    pub(super) fn never() -> Self {
        Self { kinds: Kinds::NEVER, sources: Vec::new() }
    }

    pub(super) fn of_type(ty: &Type) -> Self {
        Self { kinds: Kinds::of_type(ty), sources: vec![Source::Typed(ty.clone())] }
    }

    pub(super) fn of_const(value: &Const) -> Self {
        Self { kinds: Kinds::of_const(value), sources: vec![Source::Const(value.clone())] }
    }

    pub(super) fn clock() -> Self {
        Self { kinds: Kinds::TIMESTAMP, sources: vec![Source::Clock] }
    }

    /// A list, map or optional.
    pub(super) fn container(kind: Kinds, inner: Shape) -> Self {
        Self { kinds: kind, sources: vec![Source::Container(Box::new(inner))] }
    }

    /// All attributes of the principal or resource.
    pub(super) fn attributes(of: Bearer) -> Self {
        Self {
            kinds: Kinds::MAP,
            sources: vec![Source::Attribute { of, path: Vec::new(), date_time: false }],
        }
    }

    pub(super) fn narrowed(mut self, kinds: Kinds) -> Self {
        self.kinds = self.kinds.and(kinds);
        self
    }

    pub(super) fn or(mut self, other: Self) -> Self {
        self.kinds = self.kinds | other.kinds;
        for source in other.sources {
            if self.sources.len() >= MAX_SOURCES {
                self.sources = vec![Source::Unknown];
            }
            if !self.sources.contains(&source) {
                self.sources.push(source);
            }
        }
        self
    }

    /// The value, if it is known.
    pub(super) fn constant(&self) -> Option<&Const> {
        match self.sources.as_slice() {
            [Source::Const(value)] => Some(value),
            _ => None,
        }
    }

    pub(super) fn is_clock(&self) -> bool {
        self.sources == [Source::Clock]
    }

    /// Whether a schema sees to it that a string is a timestamp.
    pub(super) fn is_date_time(&self) -> bool {
        self.sources.iter().all(|source| matches!(source, Source::Attribute { date_time: true, .. }))
    }

    /// A field of a map or message, and whether it is always there.
    pub(super) fn field(&self, name: &str, shapes: &dyn Shapes) -> (bool, Shape) {
        let mut always = !self.sources.is_empty();
        let mut shape = Shape::never();
        for source in &self.sources {
            let (present, found) = match source {
                Source::Attribute { of, path, .. } => {
                    attribute(*of, path, Step::Field(name.to_owned()), shapes)
                }
                Source::Const(Const::Map(map)) => match map.get(name) {
                    Some(value) => (true, Shape::of_const(value)),
                    None => (false, Shape::never()),
                },
                // No field is read of what is no map: kinds are looked at first.
                Source::Const(_) | Source::Clock => continue,
                Source::Typed(Type::Message(message)) => match message.field(name) {
                    Some(ty) => (true, Shape::of_type(&ty)),
                    None => (false, Shape::unknown(Kinds::ANY)),
                },
                other => (false, other.inner(shapes)),
            };
            always &= present;
            shape = shape.or(found);
        }
        (always, shape)
    }

    /// What a list, map or optional holds.
    pub(super) fn inner(&self, shapes: &dyn Shapes) -> Shape {
        let inners = self.sources.iter().map(|source| source.inner(shapes));
        inners.reduce(Shape::or).unwrap_or_else(|| Shape::unknown(Kinds::ANY))
    }

    /// How many elements a list has for certain.
    pub(super) fn min_len(&self) -> usize {
        match self.constant() {
            Some(Const::List(list)) => list.elements().len(),
            _ => 0,
        }
    }
}

impl Source {
    fn inner(&self, shapes: &dyn Shapes) -> Shape {
        match self {
            Self::Attribute { of, path, .. } => attribute(*of, path, Step::Element, shapes).1,
            Self::Const(Const::List(list)) => {
                let elements = list.elements().iter().map(Shape::of_const);
                elements.reduce(Shape::or).unwrap_or_else(Shape::never)
            }
            Self::Const(Const::Map(map)) => {
                let values = map.entries().iter().map(|(_, value)| Shape::of_const(value));
                values.reduce(Shape::or).unwrap_or_else(Shape::never)
            }
            Self::Typed(Type::List(inner) | Type::Optional(inner) | Type::Map(_, inner)) => match &**inner {
                // Claims and globals come from JSON.
                Type::Dyn => Shape::unknown(Kinds::JSON),
                inner => Shape::of_type(inner),
            },
            Self::Container(inner) => (**inner).clone(),
            Self::Unknown | Self::Clock | Self::Const(_) | Self::Typed(_) => Shape::unknown(Kinds::ANY),
        }
    }
}

fn attribute(of: Bearer, path: &[Step], step: Step, shapes: &dyn Shapes) -> (bool, Shape) {
    let path: Vec<Step> = path.iter().cloned().chain([step]).collect();
    let found = shapes.attribute(of, &path);
    let source = Source::Attribute { of, path, date_time: found.date_time };
    (found.present, Shape { kinds: found.kinds, sources: vec![source] })
}
