//! Whether a program that was read can be evaluated: it ends, and leads to nothing that is not there.

use crate::cel::Program;
use crate::cel::stored::{Children, Id, MAX_DEPTH, Op};

impl Program {
    /// Whether operands stand before what uses them, each used once, no deeper than the program says; and whether every number
    /// leads to something.
    pub(super) fn is_sound(&self) -> bool {
        let mut check = Check { program: self, used: vec![false; self.nodes.len()], heights: Vec::new() };
        let sound = self.nodes.iter().all(|op| {
            let height = check.height(*op);
            check.heights.extend(height);
            height.is_some()
        });
        let height = check.heights.get(self.root as usize);
        sound && height.is_some_and(|height| *height <= self.height) && self.height <= MAX_DEPTH
    }
}

struct Check<'p> {
    program: &'p Program,
    /// Whether an operation was the operand of one before.
    used: Vec<bool>,
    /// Of the operations so far.
    heights: Vec<u16>,
}

impl Check<'_> {
    /// How deep an operation nests; none where something is wrong with it.
    fn height(&mut self, op: Op) -> Option<u16> {
        let program = self.program;
        let name = |name: u32| there_is(&program.strings, name);
        let mut below = 0_u16;
        let mut operand = |id: Id| {
            let height = *self.heights.get(id as usize)?;
            let used = self.used.get_mut(id as usize)?;
            below = below.max(height);
            (!std::mem::replace(used, true)).then_some(())
        };
        match op {
            Op::Const(value) | Op::Constant(value) | Op::Constants(value) => {
                there_is(&program.consts, value)?;
            }
            Op::Local(depth) => (depth <= u32::from(MAX_DEPTH)).then_some(())?,
            Op::Whole(_) | Op::Field(_) | Op::Globals | Op::HasVariable(_) => {}
            Op::PrincipalAttr(attr)
            | Op::ResourceAttr(attr)
            | Op::HasPrincipalAttr(attr)
            | Op::HasResourceAttr(attr)
            | Op::Global(attr)
            | Op::HasGlobal(attr)
            | Op::Variable { name: attr, .. }
            | Op::Undefined(attr)
            | Op::Fail(attr) => name(attr)?,
            Op::Variables(children) => {
                for pair in groups::<2>(program, children)? {
                    name(pair[1])?;
                }
            }
            Op::Select { operand: of, field }
            | Op::SelectOptional { operand: of, field }
            | Op::Has { operand: of, field } => {
                operand(of)?;
                name(field)?;
            }
            Op::Index { operand: left, index: right }
            | Op::IndexOptional { operand: left, index: right }
            | Op::Relation { left, right, .. }
            | Op::Bind { value: left, body: right }
            | Op::OptionalOr { target: left, other: right, .. }
            | Op::OptionalMap { target: left, body: right, .. } => {
                operand(left)?;
                operand(right)?;
            }
            Op::Not(of) => operand(of)?,
            Op::And(children)
            | Op::Or(children)
            | Op::List(children)
            | Op::Call { args: children, .. }
            | Op::CallOverload { args: children, .. }
            | Op::CallWithErrors { args: children, .. } => {
                groups::<1>(program, children)?.iter().try_for_each(|[id]| operand(*id))?;
            }
            Op::Conditional { condition, yes, no } => {
                operand(condition)?;
                operand(yes)?;
                operand(no)?;
            }
            Op::ResourceAttrEquals { attr, value } | Op::PrincipalAttrEquals { attr, value } => {
                name(attr)?;
                there_is(&program.consts, value)?;
            }
            Op::InStrings { value, set } => {
                operand(value)?;
                there_is(&program.string_sets, set)?;
            }
            Op::Matches { text, pattern } => {
                operand(text)?;
                there_is(&program.patterns, pattern)?;
            }
            Op::OptionalList(children) => {
                groups::<2>(program, children)?.iter().try_for_each(|pair| operand(pair[0]))?;
            }
            Op::Map(children) => groups::<3>(program, children)?.iter().try_for_each(|entry| {
                operand(entry[0])?;
                operand(entry[1])
            })?,
            Op::Message { fields, .. } => {
                groups::<3>(program, fields)?.iter().try_for_each(|field| operand(field[1]))?;
            }
            Op::Loop(index) => {
                let of = program.loops.get(index as usize)?;
                operand(of.range)?;
                of.filter.map_or(Some(()), &mut operand)?;
                operand(of.body)?;
            }
        }
        below.checked_add(1)
    }
}

fn there_is<T>(list: &[T], index: u32) -> Option<()> {
    list.get(index as usize).map(|_| ())
}

/// Children in groups of so many.
fn groups<const SIZE: usize>(program: &Program, Children { start, len }: Children) -> Option<&[[u32; SIZE]]> {
    let children = program.children.get(start as usize..)?.get(..len as usize)?;
    let (groups, rest) = children.as_chunks::<SIZE>();
    rest.is_empty().then_some(groups)
}
