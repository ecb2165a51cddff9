//! The catalogue of everything that can be wrong with a policy set, its tests and routes. A code never changes its meaning.

use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+) => {
        /// What kind of mistake a [`Diagnostic`](super::Diagnostic) reports.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// Every code, in the order of the pipeline.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable name, as JavaScript and JSON see it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

codes! {
    /// A file or directory that cannot be read, or is not there.
    Io = "io",
    /// The directory holds no policy at all.
    EmptyStore = "empty-store",
    /// A `_schemas` directory that is not at the root of the policy directory.
    MisplacedSchemas = "misplaced-schemas",
    /// The text is not YAML (or JSON).
    Syntax = "syntax",
    /// A limit on bytes, depth or nodes is exceeded.
    TooLarge = "too-large",
    /// A key stands twice in one mapping.
    DuplicateKey = "duplicate-key",
    /// More than one document in a policy file.
    MultipleDocuments = "multiple-documents",
    /// An alias to an anchor that is not defined.
    UnknownAlias = "unknown-alias",
    /// A field that the policy format does not have.
    UnknownField = "unknown-field",
    /// A value of the wrong type.
    WrongType = "wrong-type",
    /// A required field is missing.
    MissingField = "missing-field",
    /// A value of the right type that the format does not allow.
    InvalidValue = "invalid-value",
    /// No policy type, or more than one of those that exclude each other.
    PolicyType = "policy-type",
    /// Two policies with the same identity (kind, name, version, scope).
    DuplicatePolicy = "duplicate-policy",
    /// An import that no policy of the set provides.
    ImportNotFound = "import-not-found",
    /// A scoped policy without the policies of its parent scopes.
    MissingAncestor = "missing-ancestor",
    /// A rule that names neither roles nor derived roles.
    InvalidResourceRule = "invalid-resource-rule",
    /// A derived role that no import defines.
    UnknownDerivedRole = "unknown-derived-role",
    /// A derived role that more than one import defines.
    AmbiguousDerivedRole = "ambiguous-derived-role",
    /// A variable or constant with a name that an expression cannot say.
    InvalidName = "invalid-name",
    /// A variable that is defined more than once.
    VariableRedefined = "variable-redefined",
    /// A constant that is defined more than once.
    ConstantRedefined = "constant-redefined",
    /// A variable that is used and not defined.
    UndefinedVariable = "undefined-variable",
    /// A constant that is used and not defined.
    UndefinedConstant = "undefined-constant",
    /// Variables that refer to each other in a circle.
    CyclicalVariables = "cyclical-variables",
    /// An `output` without any expression.
    EmptyOutput = "empty-output",
    /// A `condition.script`: scripts are no longer part of the policy language.
    ScriptsUnsupported = "scripts-unsupported",
    /// Policies of one scope disagree on `scopePermissions`.
    ConflictingScopePermissions = "conflicting-scope-permissions",
    /// A JSON Schema that cannot be found or read, or is no schema.
    InvalidSchema = "invalid-schema",
    /// A pattern with wildcards that cannot be read.
    InvalidGlob = "invalid-glob",
    /// A CEL expression that does not parse.
    ExpressionSyntax = "expression-syntax",
    /// A CEL expression that does not type-check.
    ExpressionType = "expression-type",
    /// A constant of a CEL expression that always fails, such as `int("abc")`.
    ExpressionConstant = "expression-constant",
    /// A DENY rule whose condition can raise an error, which counts as not satisfied.
    DenyMayBeSkipped = "deny-may-be-skipped",
    /// Two tests of a suite with the same name.
    DuplicateTest = "duplicate-test",
    /// A test that names a principal, resource, group or auxiliary data that no fixture defines.
    UnknownFixture = "unknown-fixture",
    /// A test that expects what it does not ask, or two things at once.
    InvalidExpectation = "invalid-expectation",
    /// A text of a route that names a part which its path does not have.
    UnknownPathPart = "unknown-path-part",
    /// Two routes that stand for the same requests.
    RivalRoutes = "rival-routes",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
