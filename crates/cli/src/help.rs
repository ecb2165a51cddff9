//! What `--help` prints.

pub(crate) const PROGRAM: &str = "\
orthrus: decides Cerbos policies inside your Node.js process

Usage: orthrus <verb> [options]

Verbs:
  compile <dir>   check the policies of a directory and run their tests
  bundle <dir>    compile the policies of a directory into one file
  inspect <file>  tell what is in such a file
  routes <file>   check a file of routes and run its tests
  server          serve decisions over HTTP and gRPC, and to proxies

Options:
  -h, --help     print this help, or that of a verb
  -v, --version  print the version
";

pub(crate) const COMPILE: &str = "\
Checks the policies of a directory and runs their tests (*_test.yaml)

Usage: orthrus compile <dir> [options]

An archive of a directory (.zip, .tar, .tar.gz, .tgz) may stand for it.

Options:
      --ignore-schemas        do not load the schemas of attributes, nor check attributes against them
      --skip-tests            do not run the tests
      --tests <dir>           run the tests of this directory instead
      --test-filter <filter>  run these tests only: 'PART=PATTERN,PATTERN;PART=…', where a part is suite, test,
                              principal, resource or action. Given several times, the patterns add up
      --skip-batching         decide each action of a test by itself
      --strict-evaluation     an expression that raises an error denies the action
  -o, --output <format>       tree (the default), list or json
      --test-output <format>  tree, list, json or junit; by default as --output
      --verbose               show tests that passed, and the rules that led to what did not, with the outcome of each
                              expression of their conditions
      --color[=<when>]        auto (the default), always or never; 256 and 16m mean always
      --no-color              the same as --color=never
  -h, --help                  print this help

Exit codes: 0 all is well, 1 the files cannot be read, 2 the arguments are wrong, 3 the policies are wrong,
4 tests failed or could not be run.

Examples:
  orthrus compile policies
  orthrus compile policies --test-filter='suite=billing*;principal=ann,bob' --verbose
  orthrus compile policies --test-output=junit > report.xml
";

pub(crate) const BUNDLE: &str = "\
Compiles the policies of a directory into one file, which loads without reading them again

Usage: orthrus bundle <dir> -o <file> [options]

An archive of a directory (.zip, .tar, .tar.gz, .tgz) may stand for it. The same policies give the same bytes.

Options:
  -o, --output <file>    the file to write, usually NAME.orb; - for the standard output
      --sign-key <file>  sign the bundle with this key: Ed25519, PKCS #8 in PEM
      --ignore-schemas   leave out the schemas of attributes: the bundle can never enforce them
  -h, --help             print this help

Exit codes: 0 all is well, 1 something cannot be read or written, 2 the arguments are wrong, 3 the policies are wrong.

Examples:
  orthrus bundle policies -o policies.orb
  openssl genpkey -algorithm ed25519 -out private.pem
  openssl pkey -in private.pem -pubout -out public.pem
  orthrus bundle policies -o policies.orb --sign-key private.pem
";

pub(crate) const INSPECT: &str = "\
Tells what is in a bundle: its format, digest and signature, and the policies by key

Usage: orthrus inspect <file> [options]

Options:
      --public-key <file>  the bundle has to be signed by this key: Ed25519, SPKI in PEM
  -o, --output <format>    text (the default) or json
  -h, --help               print this help

Exit codes: 0 all is well, 1 the bundle cannot be read or is refused, 2 the arguments are wrong.
";

pub(crate) const ROUTES: &str = "\
Checks a file of routes and runs its tests: what requests ask for, before policies decide whether they may

Usage: orthrus routes <file> [options]

The file is YAML or JSON: a list of routes, or { routes, tests }.

Options:
  -o, --output <format>  text (the default) or json
  -h, --help             print this help

Exit codes: 0 all is well, 1 the file cannot be read, 2 the arguments are wrong, 3 the routes are wrong, 4 tests failed.

Example of a file:
  routes:
    - path: /documents/{id}
      resource: { kind: document, id: '{id}' }
      action: { GET: view, PUT: edit }
  tests:
    - request: { method: PUT, path: /documents/7 }
      expect: { kind: document, id: '7', action: edit }
    - request: { method: DELETE, path: /documents/7 }
      expect: none
";
