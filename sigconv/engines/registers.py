"""Sums that stay in registers: what the compiled loops (`loops.py`) are made of, written in LLVM's words.

A processor multiplies and adds two vectors a cycle, and reads half a one that is not aligned: a filter that reads one vector a
product runs at a quarter of what the machine can do. Sums that share what they read run at all of it:

    slid     R vectors of outputs of a line, y[W·i …] = Σ_q h[q] · x[q + W·i …], i < R, of W lanes each: of four times W taps at a
             time R + 4 vectors are read for 4W·R products. What lies between two of them is cut out of both, where vectors are as
             long as lines of the cache, so that all other reads would cross two of these.
    spread   R vectors of outputs a step apart, y[i] = Σ_(c, p) h[c, p] · x[at[c] + pitch · (p + i)], i < R, as of rows that are a
             pitch apart: of D rows at a time R + D − 1 vectors are read for D·R products.
    mixed    F filters of V vectors of outputs in a row, y[f] = Σ_q h[q, f] · x[at[q]]: V vectors and F taps for F·V products.
    abreast  the same with their roles exchanged, F outputs of V vectors of filters, y[f] = Σ_q x[at[q] + gap·f] · h[q].
    wound    a complex polynomial of L coefficients times another, modulo t^L less a number, y[v] = Σ_u x[u] · h[L + v − u], where
             h has L more coefficients before its own, times that number: all that is read of h for 4L² products are its 4L.

Sums are made in turn up to about `PART` terms, then the share is added to y.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import wraps
from typing import Any

from numba.core import cgutils, types
from numba.core.cgutils import ir
from numba.core.registry import cpu_target
from numba.extending import intrinsic

__all__ = ["BYTES", "FILTERS", "LANES", "ROWS", "VECTORS", "abreast", "mixed", "slid", "spread", "wound"]

FEATURES = cpu_target.target_context.codegen().magic_tuple()[2]
BYTES = 64 if "+avx512f" in FEATURES else 32 if "+avx" in FEATURES else 16  # of a vector
CUT = BYTES == 64
ROWS = 8  # R
FILTERS, VECTORS = 4, 4 if BYTES == 64 else 2  # F and V, for 32 registers or 16
TAPS, DEEP = 4, 8 if BYTES == 64 else 4  # rows of taps at a time of a line, of a plane
PART = 64
LANES = 16  # L
WORD = types.uint64
I1, I32, I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
FUSED = ["contract"]  # a product and its sum rounded once, where the machine has it so


class _Code:
    """What is written into a loop, on arrays of samples of one type, the first argument's."""

    def __init__(self, context: Any, builder: Any, signature: Any, values: Any) -> None:
        self.builder = builder
        self.args = [context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value
                     for kind, value in zip(signature.args, values, strict=True)]
        self.width = BYTES * 8 // signature.args[0].dtype.bitwidth
        self.vector = ir.VectorType(self.args[0].type.pointee, self.width)
        self.nothing = ir.Constant(self.vector, None)

    def plus(self, place: Any, distance: Any, times: int = 1) -> Any:
        """place + distance · times."""
        if isinstance(distance, int):
            distance, times = I64(distance * times), 1
        return self.builder.add(place, distance if times == 1 else self.builder.mul(distance, I64(times)))

    def one(self, array: Any, place: Any) -> Any:
        return self.builder.load(self.builder.gep(array, [place]))

    def where(self, array: Any, place: Any) -> Any:
        return self.builder.bitcast(self.builder.gep(array, [place]), self.vector.as_pointer())

    def read(self, array: Any, place: Any) -> Any:
        return self.builder.load(self.where(array, place), align=4)

    def some(self, array: Any, place: Any, many: Any) -> Any:
        """A vector's first lanes; what would lie in the others is not looked at."""
        lanes = ir.VectorType(I1, self.width)
        order = ir.Constant(ir.VectorType(I64, self.width), list(range(self.width)))
        mask = self.builder.icmp_unsigned("<", order, self.lanes(many))
        kind = f"v{self.width}f{BYTES * 8 // self.width}"
        load = cgutils.get_or_insert_function(
            self.builder.module, ir.FunctionType(self.vector, [self.vector.as_pointer(), I32, lanes, self.vector]),
            f"llvm.masked.load.{kind}.p0{kind}")
        return self.builder.call(load, [self.where(array, place), I32(4), mask, self.nothing])

    def lanes(self, value: Any) -> Any:
        """The value, in every lane."""
        none = ir.Constant(ir.VectorType(value.type, self.width), ir.Undefined)
        first = self.builder.insert_element(none, value, I32(0))
        return self.builder.shuffle_vector(first, none, ir.Constant(ir.VectorType(I32, self.width), None))

    def between(self, left: Any, right: Any, c: int) -> Any:
        """W lanes from the c-th of the first on."""
        lanes = ir.Constant(ir.VectorType(I32, self.width), list(range(c, c + self.width)))
        return self.builder.shuffle_vector(left, right, lanes)

    def sum(self, total: Any, tap: Any, samples: Any) -> Any:
        return self.builder.fadd(total, self.builder.fmul(tap, samples, flags=FUSED), flags=FUSED)

    def held(self, many: int) -> list[Any]:
        """Places in registers for so many sums, of nothing yet."""
        places = [cgutils.alloca_once(self.builder, self.vector) for _ in range(many)]
        self.put([self.nothing] * many, places)
        return places

    def put(self, values: list[Any], places: list[Any]) -> None:
        for value, place in zip(values, places, strict=True):
            self.builder.store(value, place)

    def take(self, places: list[Any]) -> list[Any]:
        return [self.builder.load(place) for place in places]

    def give(self, sums: list[Any], y: Any, places: list[Any], more: Any) -> None:
        """Sums to y, added to what is there where there is more."""
        with self.builder.if_else(more) as (added, alone):
            for there, branch in ((True, added), (False, alone)):
                with branch:
                    for value, place in zip(sums, places, strict=True):
                        target = self.where(y, place)
                        whole = self.builder.fadd(self.builder.load(target, align=4), value) if there else value
                        self.builder.store(whole, target, align=4)


def _written(function: Any) -> Any:
    """What loops may call: `function` gives its types and who writes it."""

    def typed(*args: Any) -> Any:
        kinds, write = function(*args)

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            write(_Code(context, builder, signature, values))
            return context.get_dummy_value()

        return types.void(*kinds), generate

    return intrinsic(wraps(function)(typed))


@_written
def slid(typing, x, base, taps, many, y, out):  # type: ignore[no-untyped-def]
    """y[out + W·i …] = Σ_q taps[q] x[base + q + W·i …], i < R, q < many."""
    return (x, WORD, taps, WORD, y, WORD), _slid


def _slid(code: _Code) -> None:
    x, base, taps, many, y, out = code.args
    builder, width, places = code.builder, code.width, [code.plus(out, code.width, i) for i in range(ROWS)]
    fours = builder.udiv(many, I64(TAPS * width))
    with cgutils.for_range(builder, fours) as block:
        q = builder.mul(block.index, I64(TAPS * width))
        sums = [code.nothing] * ROWS
        for _ in _columns(code, x, code.plus(base, q), taps, q, TAPS, sums):
            pass
        code.give(sums, y, places, builder.icmp_unsigned(">", block.index, I64(0)))
    q = builder.mul(fours, I64(TAPS * width))
    with builder.if_then(builder.icmp_unsigned("<", q, many)):
        held, at = code.held(ROWS), cgutils.alloca_once(builder, I64)
        builder.store(q, at)
        for rows in (2, 1):
            q = builder.load(at)
            with builder.if_then(builder.icmp_unsigned(">=", builder.sub(many, q), I64(rows * width))):
                sums = code.take(held)
                for _ in _columns(code, x, code.plus(base, q), taps, q, rows, sums):
                    pass
                code.put(sums, held)
                builder.store(code.plus(q, rows * width), at)
        q = builder.load(at)
        left = builder.sub(many, q)
        with builder.if_then(builder.icmp_unsigned(">", left, I64(0))):
            sums, done = code.take(held), builder.append_basic_block("done")
            for c in _columns(code, x, code.plus(base, q), taps, q, 1, sums, left):
                code.put(sums, held)
                more = builder.append_basic_block("more")
                builder.cbranch(builder.icmp_unsigned("<", I64(c), left), more, done)
                builder.position_at_end(more)
            code.put(sums, held)
            builder.branch(done)
            builder.position_at_end(done)
        code.give(code.take(held), y, places, builder.icmp_unsigned(">", fours, I64(0)))


def _columns(code: _Code, x: Any, begin: Any, taps: Any, tap: Any, rows: int, sums: list[Any], left: Any = None) -> Iterator[int]:
    """Products of so many rows of W taps, or of those of one row that are left, column by column, each told before it is made."""
    width, count = code.width, ROWS + rows
    if CUT:
        last = code.some(x, code.plus(begin, (count - 1) * width), I64(width - 1) if left is None else code.plus(left, -1))
        there = [*(code.read(x, code.plus(begin, i * width)) for i in range(count - 1)), last]
    for c in range(width):
        yield c
        values = [code.lanes(code.one(taps, code.plus(tap, p * width + c))) for p in range(rows)]
        for i in range(count - 1):
            samples = code.between(there[i], there[i + 1], c) if CUT else code.read(x, code.plus(begin, i * width + c))
            for p in range(max(i - ROWS + 1, 0), min(rows, i + 1)):
                sums[i - p] = code.sum(sums[i - p], values[p], samples)


@_written
def spread(typing, x, base, at, count, pitch, rows, taps, y, out, step):  # type: ignore[no-untyped-def]
    """y[out + step·i …] = Σ_(c, p) taps[c, p] x[base + at[c] + pitch·(p + i) …], i < R, c < count, p < rows."""
    return (x, WORD, at, WORD, WORD, WORD, taps, y, WORD, WORD), _spread


def _spread(code: _Code) -> None:
    x, base, at, count, pitch, rows, taps, y, out, step = code.args
    builder, places = code.builder, [code.plus(out, step, i) for i in range(ROWS)]
    held, terms, more = code.held(ROWS), cgutils.alloca_once(builder, I64), cgutils.alloca_once(builder, I1)
    code.put([I64(0), I1(0)], [terms, more])

    def give() -> None:
        code.give(code.take(held), y, places, builder.load(more))
        code.put([*[code.nothing] * ROWS, I64(0), I1(1)], [*held, terms, more])

    def some(begin: Any, tap: Any, many: int) -> None:
        values, sums = [code.lanes(code.one(taps, code.plus(tap, p))) for p in range(many)], code.take(held)
        for i in range(ROWS + many - 1):
            samples = code.read(x, code.plus(begin, pitch, i))
            for p in range(max(i - ROWS + 1, 0), min(many, i + 1)):
                sums[i - p] = code.sum(sums[i - p], values[p], samples)
        total = code.plus(builder.load(terms), many)
        code.put([*sums, total], [*held, terms])
        with builder.if_then(builder.icmp_unsigned(">=", total, I64(PART)), likely=False):
            give()

    with cgutils.for_range(builder, count) as column:
        begin, tap = builder.add(base, code.one(at, column.index)), builder.mul(column.index, rows)
        whole = builder.udiv(rows, I64(DEEP))
        with cgutils.for_range(builder, whole) as block:
            p = builder.mul(block.index, I64(DEEP))
            some(builder.add(begin, builder.mul(pitch, p)), builder.add(tap, p), DEEP)
        p = builder.mul(whole, I64(DEEP))
        left, begin, tap = builder.sub(rows, p), builder.add(begin, builder.mul(pitch, p)), builder.add(tap, p)
        for many in range(1, DEEP):
            with builder.if_then(builder.icmp_unsigned("==", left, I64(many))):
                some(begin, tap, many)
    give()


@_written
def mixed(typing, x, base, at, many, taps, tap, y, out, step):  # type: ignore[no-untyped-def]
    """y[out + step·f …] = Σ_q taps[tap + q·F + f] x[base + at[q] …], f < F, q < many; V vectors of each."""
    return (x, WORD, at, WORD, taps, WORD, y, WORD, WORD), _mixed


def _mixed(code: _Code) -> None:
    x, base, at, many, taps, tap, y, out, step = code.args
    builder, held = code.builder, code.held(FILTERS * VECTORS)
    places = [code.plus(code.plus(out, step, f), v * code.width) for f in range(FILTERS) for v in range(VECTORS)]
    parts = builder.udiv(code.plus(many, PART - 1), I64(PART))
    with cgutils.for_range(builder, parts) as part:
        first = builder.mul(part.index, I64(PART))
        left = builder.sub(many, first)
        total = builder.select(builder.icmp_unsigned("<", left, I64(PART)), left, I64(PART))
        code.put([code.nothing] * len(held), held)
        with cgutils.for_range(builder, total) as term:
            q = builder.add(first, term.index)
            begin, where = builder.add(base, code.one(at, q)), builder.add(tap, builder.mul(q, I64(FILTERS)))
            samples = [code.read(x, code.plus(begin, v * code.width)) for v in range(VECTORS)]
            sums = code.take(held)
            for f in range(FILTERS):
                value = code.lanes(code.one(taps, code.plus(where, f)))
                for v in range(VECTORS):
                    sums[f * VECTORS + v] = code.sum(sums[f * VECTORS + v], value, samples[v])
            code.put(sums, held)
        code.give(code.take(held), y, places, builder.icmp_unsigned(">", part.index, I64(0)))


@_written
def abreast(typing, x, base, at, many, gap, taps, tap, y, out, step):  # type: ignore[no-untyped-def]
    """y[out + step·f …] = Σ_q x[base + at[q] + gap·f] taps[tap + q·V·W …], f < F, q < many; V vectors of each."""
    return (x, WORD, at, WORD, WORD, taps, WORD, y, WORD, WORD), _abreast


def _abreast(code: _Code) -> None:
    x, base, at, many, gap, taps, tap, y, out, step = code.args
    builder, held = code.builder, code.held(FILTERS * VECTORS)
    places = [code.plus(code.plus(out, step, f), v * code.width) for f in range(FILTERS) for v in range(VECTORS)]
    lines = [code.plus(base, gap, f) for f in range(FILTERS)]
    parts = builder.udiv(code.plus(many, PART - 1), I64(PART))
    with cgutils.for_range(builder, parts) as part:
        first = builder.mul(part.index, I64(PART))
        left = builder.sub(many, first)
        total = builder.select(builder.icmp_unsigned("<", left, I64(PART)), left, I64(PART))
        code.put([code.nothing] * len(held), held)
        with cgutils.for_range(builder, total) as term:
            q = builder.add(first, term.index)
            shift, where = code.one(at, q), builder.add(tap, builder.mul(q, I64(VECTORS * code.width)))
            filters = [code.read(taps, code.plus(where, v * code.width)) for v in range(VECTORS)]
            sums = code.take(held)
            for f in range(FILTERS):
                value = code.lanes(code.one(x, builder.add(lines[f], shift)))
                for v in range(VECTORS):
                    sums[f * VECTORS + v] = code.sum(sums[f * VECTORS + v], value, filters[v])
            code.put(sums, held)
        code.give(code.take(held), y, places, builder.icmp_unsigned(">", part.index, I64(0)))


@_written
def wound(typing, xr, xi, at, hr, hi, base, yr, yi, out):  # type: ignore[no-untyped-def]
    """y[out + v] = Σ_u x[at + u] h[base + L + v − u], complex, u and v < L."""
    return (xr, xi, WORD, hr, hi, WORD, yr, yi, WORD), _wound


def _wound(code: _Code) -> None:
    xr, xi, at, hr, hi, base, yr, yi, out = code.args
    width, parts = code.width, LANES // code.width
    there = [[code.read(h, code.plus(base, i * width)) for i in range(2 * parts)] for h in (hr, hi)] if CUT else []
    sums = [[code.nothing] * parts for _ in range(4)]  # of both real parts, both imaginary ones, and what is mixed of them

    def window(h: Any, which: int, begin: int) -> Any:
        i, c = divmod(begin, width)
        if not CUT:
            return code.read(h, code.plus(base, begin))
        return there[which][i] if c == 0 else code.between(there[which][i], there[which][i + 1], c)

    for u in range(LANES):
        r, j = code.lanes(code.one(xr, code.plus(at, u))), code.lanes(code.one(xi, code.plus(at, u)))
        for p in range(parts):
            f, g = (window(h, which, LANES - u + p * width) for which, h in enumerate((hr, hi)))
            for s, (x, h) in enumerate(((r, f), (j, g), (r, g), (j, f))):
                sums[s][p] = code.sum(sums[s][p], x, h)
    for p in range(parts):
        place = code.plus(out, p * width)
        code.builder.store(code.builder.fsub(sums[0][p], sums[1][p]), code.where(yr, place), align=4)
        code.builder.store(code.builder.fadd(sums[2][p], sums[3][p]), code.where(yi, place), align=4)
