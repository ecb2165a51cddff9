//! Unification of types with unknowns: which types can stand where others are expected. The rules are
//! those of cel-go's checker, `dyn` fitting everything.

use super::types::Type;

/// What is known about the type parameters of one expression.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inference {
    known: Vec<Option<Type>>,
    /// Which parameters were bound, in order, so that a failed attempt can be undone.
    trail: Vec<(u32, Option<Type>)>,
}

impl Inference {
    /// A new unknown.
    pub(crate) fn fresh(&mut self) -> Type {
        let index = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        self.known.push(None);
        Type::Param(index)
    }

    /// Whether a value of type `from` fits where `to` is expected; what that tells about unknowns is kept.
    pub(crate) fn assign(&mut self, from: &Type, to: &Type) -> bool {
        self.attempt(|inference| inference.fits(from, to))
    }

    /// [`assign`](Self::assign) for a list of arguments: all or nothing.
    pub(crate) fn assign_all(&mut self, from: &[Type], to: &[Type]) -> bool {
        from.len() == to.len()
            && self.attempt(|inference| from.iter().zip(to).all(|(from, to)| inference.fits(from, to)))
    }

    fn attempt(&mut self, step: impl FnOnce(&mut Self) -> bool) -> bool {
        let mark = self.trail.len();
        let fits = step(self);
        while !fits && self.trail.len() > mark {
            if let Some((index, before)) = self.trail.pop() {
                self.set(index, before);
            }
        }
        fits
    }

    fn set(&mut self, index: u32, ty: Option<Type>) {
        if let Some(known) = self.known.get_mut(index as usize) {
            *known = ty;
        }
    }

    fn bind(&mut self, index: u32, ty: Type) {
        let before = self.lookup(index).cloned();
        self.trail.push((index, before));
        self.set(index, Some(ty));
    }

    fn lookup(&self, index: u32) -> Option<&Type> {
        self.known.get(index as usize)?.as_ref()
    }

    /// The type with the unknowns replaced that are known by now.
    pub(crate) fn resolved(&self, ty: &Type) -> Type {
        match ty {
            Type::Param(index) => {
                self.lookup(*index).map_or_else(|| ty.clone(), |known| self.resolved(known))
            }
            _ => ty.map_parameters(|inner| self.resolved(inner)),
        }
    }

    /// The type with all unknowns replaced: those about which nothing is known are `dyn`.
    pub(crate) fn settled(&self, ty: &Type) -> Type {
        match ty {
            Type::Param(index) => self.lookup(*index).map_or(Type::Dyn, |known| self.settled(known)),
            _ => ty.map_parameters(|inner| self.settled(inner)),
        }
    }

    fn fits(&mut self, from: &Type, to: &Type) -> bool {
        if let Type::Param(index) = to {
            match self.substitute(from, *index) {
                Substitution::Fits => return true,
                Substitution::Conflicts => return false,
                Substitution::Circular => {}
            }
        }
        if let Type::Param(index) = from {
            return matches!(self.substitute(to, *index), Substitution::Fits);
        }
        if from.is_dyn_or_error() || to.is_dyn_or_error() {
            return true;
        }
        match (from, to) {
            (Type::Null, other) | (other, Type::Null) => nullable(other),
            (Type::Type(_), Type::Type(_)) => true,
            (Type::Wrapper(from), to) => self.fits(from, to),
            (from, Type::Wrapper(to)) => self.fits(from, to),
            (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => self.fits(a, b),
            (Type::Map(a, b), Type::Map(c, d)) => self.fits(a, c) && self.fits(b, d),
            _ => from == to,
        }
    }

    /// Tries `ty` for an unknown: the more general of it and what is known is kept.
    fn substitute(&mut self, ty: &Type, index: u32) -> Substitution {
        if *ty == Type::Param(index) {
            return Substitution::Fits;
        }
        if let Some(known) = self.lookup(index).cloned() {
            if known == *ty || unwrapped(&known) == unwrapped(ty) {
                return Substitution::Fits;
            }
            if !self.fits(ty, &known) {
                return Substitution::Conflicts;
            }
            let general = Self::most_general(ty.clone(), known);
            if !self.occurs(index, &general) {
                self.bind(index, general);
            }
            return Substitution::Fits;
        }
        if self.occurs(index, ty) {
            return Substitution::Circular;
        }
        self.bind(index, ty.clone());
        Substitution::Fits
    }

    fn occurs(&self, index: u32, within: &Type) -> bool {
        match within {
            Type::Param(other) if *other == index => true,
            Type::Param(other) => self.lookup(*other).is_some_and(|known| self.occurs(index, known)),
            _ => within.parameters().any(|inner| self.occurs(index, inner)),
        }
    }

    /// The less specific of two types that fit each other.
    pub(crate) fn most_general(a: Type, b: Type) -> Type {
        if less_specific(&a, &b) { a } else { b }
    }
}

enum Substitution {
    Fits,
    /// The unknown is known to be something else.
    Conflicts,
    /// The type contains the unknown.
    Circular,
}

/// Whether `a` equals `b`, or stands above it by a `dyn` or an unknown.
fn less_specific(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Dyn | Type::Param(_), _) => true,
        (_, Type::Dyn | Type::Param(_)) => false,
        (_, Type::Null) => nullable(a) && !matches!(a, Type::Wrapper(_)),
        (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => less_specific(a, b),
        (Type::Map(a, b), Type::Map(c, d)) => less_specific(a, c) && less_specific(b, d),
        (Type::Type(_), Type::Type(_)) => true,
        (Type::Wrapper(a), b) => less_specific(a, b),
        (a, Type::Wrapper(b)) => less_specific(a, b),
        _ => a == b,
    }
}

/// The type with the scalars that may be null as plain ones.
fn unwrapped(ty: &Type) -> Type {
    match ty {
        Type::Wrapper(inner) => unwrapped(inner),
        _ => ty.map_parameters(unwrapped),
    }
}

/// What may be null besides null itself: messages and the kinds that are messages in protobuf.
fn nullable(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Null
            | Type::Optional(_)
            | Type::Opaque(_)
            | Type::Wrapper(_)
            | Type::Timestamp
            | Type::Duration
            | Type::Message(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknowns_take_the_most_general_type() {
        let mut inference = Inference::default();
        let unknown = inference.fresh();
        assert!(inference.assign(&Type::Int, &unknown));
        assert!(!inference.assign(&Type::String, &unknown));
        assert!(inference.assign(&Type::Dyn, &unknown));
        assert_eq!(inference.settled(&unknown), Type::Dyn);
    }

    #[test]
    fn a_failed_attempt_leaves_no_trace() {
        let mut inference = Inference::default();
        let unknown = inference.fresh();
        assert!(!inference.assign_all(&[Type::Int, Type::String], &[unknown.clone(), Type::Bool]));
        assert_eq!(inference.resolved(&unknown), unknown);
    }

    #[test]
    fn no_type_contains_itself() {
        let mut inference = Inference::default();
        let unknown = inference.fresh();
        assert!(!inference.assign(&Type::list(unknown.clone()), &unknown));
    }
}
