/** Internal: not part of the interface. */

export declare const PACKAGE_ROOT: string;
export declare function requireFile(path: string): unknown;
export declare function requirePackage(platform: string): unknown;
