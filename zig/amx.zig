//! Whether this process can use AMX. Four things must hold, and the last is tried: the CPU says so,
//! the system saves the registers, it permits them, and a product comes out right. There are
//! machines, virtual ones above all, that say all of it and then die of the first instruction.

const builtin = @import("builtin");
const std = @import("std");

const linux = std.os.linux;

/// Other systems ask for permission in other ways, or not at all.
pub const possible = builtin.cpu.arch == .x86_64 and builtin.os.tag == .linux;

/// Multiplies tiles; whether the product is right. May die.
pub const Trial = *const fn () callconv(.c) bool;

var state: std.atomic.Value(enum(u8) { unknown, no, yes }) = .init(.unknown);

/// Tried once a process, if the CPU says that it has AMX.
pub fn isUsable(trial: Trial) bool {
    if (!possible) return false;
    switch (state.load(.monotonic)) {
        .no => return false,
        .yes => return true,
        .unknown => {},
    }
    const usable = permitted() and survives(trial);
    state.store(if (usable) .yes else .no, .monotonic);
    return usable;
}

/// For all threads of the process, those that are still to come included.
fn permitted() bool {
    const ARCH_REQ_XCOMP_PERM = 0x1023;
    const XFEATURE_XTILEDATA = 18;
    const result = linux.syscall2(.arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA);
    return linux.errno(result) == .SUCCESS;
}

/// Whether a child of this process lives through `trial`, and that tells true.
pub fn survives(trial: Trial) bool {
    // No signal at its end: the host would hear of a child that it does not know.
    const result = linux.syscall5(.clone, 0, 0, 0, 0, 0);
    if (linux.errno(result) != .SUCCESS) return false;
    if (result == 0) {
        // The one thread of a copy, others of which may have held locks: system calls only.
        dieQuietly();
        linux.exit_group(if (trial()) 0 else 1);
    }
    const WALL = 0x4000_0000; // such children too
    var status: u32 = undefined;
    while (true) {
        const waited = linux.wait4(@intCast(result), &status, WALL, null);
        switch (linux.errno(waited)) {
            .SUCCESS => return status == 0,
            .INTR => {},
            else => return false,
        }
    }
}

/// A fault ends the process: no handler of the host's that reports it, no core file.
fn dieQuietly() void {
    const default: linux.Sigaction = .{
        .handler = .{ .handler = linux.SIG.DFL },
        .mask = linux.sigemptyset(),
        .flags = 0,
    };
    for ([_]linux.SIG{ .ILL, .TRAP, .SEGV, .BUS }) |signal| {
        _ = linux.sigaction(signal, &default, null);
    }
    _ = linux.prctl(@intFromEnum(linux.PR.SET_DUMPABLE), 0, 0, 0, 0);
}
