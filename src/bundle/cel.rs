//! Expressions and constants.

use super::wire::{Malformed, Read, Reader, Wire, Writer, fields, variants};
use crate::cel::stored::{Children, Field, Loop, Op, Operation, Pattern, Relation, Whole};
use crate::cel::{Const, Duration, Program, Timestamp};

variants!(Relation {
    0 => Equal,
    1 => NotEqual,
    2 => Less,
    3 => LessEqual,
    4 => Greater,
    5 => GreaterEqual,
    6 => In,
});

variants!(Operation {
    0 => All,
    1 => Exists,
    2 => ExistsOne,
    3 => Filter,
    4 => Map,
    5 => TransformList,
    6 => TransformMap,
    7 => TransformMapEntry,
    8 => SortBy,
});

variants!(Whole {
    0 => Request,
    1 => Principal,
    2 => Resource,
    3 => AuxData,
    4 => Runtime,
});

variants!(Field {
    0 => PrincipalId,
    1 => PrincipalRoles,
    2 => PrincipalAttr,
    3 => PrincipalPolicyVersion,
    4 => PrincipalScope,
    5 => ResourceKind,
    6 => ResourceId,
    7 => ResourceAttr,
    8 => ResourcePolicyVersion,
    9 => ResourceScope,
});

fields!(Children { start, len });

variants!(Op {
    0 => Const(value),
    1 => Constant(value),
    2 => Constants(value),
    3 => Local(depth),
    4 => Whole(whole),
    5 => Field(field),
    6 => PrincipalAttr(name),
    7 => ResourceAttr(name),
    8 => HasPrincipalAttr(name),
    9 => HasResourceAttr(name),
    10 => Global(name),
    11 => HasGlobal(name),
    12 => Variable { slot, name },
    13 => HasVariable(slot),
    14 => Globals,
    15 => Variables(children),
    16 => Undefined(name),
    17 => Fail(name),
    18 => Select { operand, field },
    19 => SelectOptional { operand, field },
    20 => Has { operand, field },
    21 => Index { operand, index },
    22 => IndexOptional { operand, index },
    23 => Not(operand),
    24 => And(children),
    25 => Or(children),
    26 => Conditional { condition, yes, no },
    27 => Relation { operator, left, right },
    28 => ResourceAttrEquals { attr, value },
    29 => PrincipalAttrEquals { attr, value },
    30 => InStrings { value, set },
    31 => Call { function, member, args },
    32 => CallOverload { function, overload, args },
    33 => CallWithErrors { function, args },
    34 => Matches { text, pattern },
    35 => List(children),
    36 => OptionalList(children),
    37 => Map(children),
    38 => Message { message, fields },
    39 => Loop(index),
    40 => Bind { value, body },
    41 => OptionalOr { target, other, unwrap },
    42 => OptionalMap { target, body, flat },
});

fields!(Loop { operation, range, paired, filter, body });

impl Wire for Pattern {
    fn write(&self, out: &mut Writer) {
        Box::<str>::from(self.text()).write(out);
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Ok(Self::deferred(&Box::<str>::read(from)?))
    }
}

impl Wire for Program {
    fn write(&self, out: &mut Writer) {
        self.nodes.write(out);
        self.children.write(out);
        self.consts.write(out);
        self.strings.write(out);
        self.loops.write(out);
        self.patterns.write(out);
        self.string_sets.write(out);
        self.root.write(out);
        self.height.write(out);
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        let program = Self {
            nodes: Wire::read(from)?,
            children: Wire::read(from)?,
            consts: Wire::read(from)?,
            strings: Wire::read(from)?,
            loops: Wire::read(from)?,
            patterns: Wire::read(from)?,
            string_sets: Wire::read(from)?,
            root: Wire::read(from)?,
            height: Wire::read(from)?,
        };
        if program.is_sound() { Ok(program) } else { Err(Malformed("an expression leads out of itself")) }
    }
}

impl Wire for Timestamp {
    fn write(&self, out: &mut Writer) {
        self.seconds().write(out);
        self.nanos().write(out);
        i64::from(self.offset()).write(out);
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        let (seconds, nanos, offset) = Wire::read(from)?;
        let instant = Self::new(seconds, nanos).zip(i64_to_offset(offset));
        instant
            .map(|(instant, offset)| instant.at_offset(offset))
            .ok_or(Malformed("an instant is out of range"))
    }
}

/// Minutes east of UTC.
fn i64_to_offset(minutes: i64) -> Option<i16> {
    const DAY: i64 = 24 * 60;
    i16::try_from(minutes).ok().filter(|_| (-DAY..=DAY).contains(&minutes))
}

impl Wire for Duration {
    fn write(&self, out: &mut Writer) {
        self.nanos().write(out);
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        i64::read(from).map(Self::from_nanos)
    }
}

impl Wire for Const {
    fn write(&self, out: &mut Writer) {
        match self {
            Self::Null => out.byte(0),
            Self::Bool(value) => tagged(out, 1, value),
            Self::Int(value) => tagged(out, 2, value),
            Self::UInt(value) => tagged(out, 3, value),
            Self::Double(value) => tagged(out, 4, value),
            Self::String(text) => tagged(out, 5, text),
            Self::Bytes(bytes) => tagged(out, 6, bytes),
            Self::List(list) => tagged(out, 7, &list.elements().to_vec()),
            Self::Map(map) => tagged(out, 8, &map.entries().to_vec()),
            Self::Timestamp(value) => tagged(out, 9, value),
            Self::Duration(value) => tagged(out, 10, value),
            Self::Type(name) => tagged(out, 11, name),
        }
    }

    fn read(from: &mut Reader<'_>) -> Read<Self> {
        Ok(match from.byte()? {
            0 => Self::Null,
            1 => Self::Bool(Wire::read(from)?),
            2 => Self::Int(Wire::read(from)?),
            3 => Self::UInt(Wire::read(from)?),
            4 => Self::Double(Wire::read(from)?),
            5 => Self::String(Wire::read(from)?),
            6 => Self::Bytes(Wire::read(from)?),
            7 => Self::list(from.nested(Wire::read)?),
            8 => Self::map(from.nested(Wire::read)?),
            9 => Self::Timestamp(Wire::read(from)?),
            10 => Self::Duration(Wire::read(from)?),
            11 => Self::Type(Wire::read(from)?),
            _ => return Err(Malformed("there is no such constant")),
        })
    }
}

fn tagged(out: &mut Writer, tag: u8, value: &impl Wire) {
    out.byte(tag);
    value.write(out);
}
