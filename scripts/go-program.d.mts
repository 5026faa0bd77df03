export declare const TOOLS: string;
export declare function programPath(source: string): string;
export declare function layOut(source: string): string;
