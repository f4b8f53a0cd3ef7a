"""Vector instructions for numba: what the compiler would not find by itself in loops over rows.

Matrices are dense, n × n, row by row, and given by their addresses (int64); nothing has to be aligned or padded,
because the last vector of a row is masked. `zero` is any number of the dtype to compute in: it only carries its type.
"""

from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

I1, I32, I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
ADDRESS = types.int64


def _register_bytes() -> int:
    features = llvmlite.binding.get_host_cpu_features()
    return 64 if features.get("avx512f") else 32 if features.get("avx") else 16


REGISTER_BYTES = _register_bytes()


class Lanes:
    """Emits instructions on one register full of numbers of a dtype."""

    def __init__(self, context: Any, builder: ir.IRBuilder, dtype: Any) -> None:
        self.builder = builder
        self.scalar = context.get_value_type(dtype)
        self.bytes = dtype.bitwidth // 8
        self.count = REGISTER_BYTES // self.bytes
        self.vector = ir.VectorType(self.scalar, self.count)
        self.zero = ir.Constant(self.vector, [0.0] * self.count)
        self.name = f"v{self.count}f{dtype.bitwidth}"

    def pointer(self, address: Any, index: Any) -> Any:
        b = self.builder
        return b.inttoptr(b.add(address, b.mul(index, I64(self.bytes))), ir.PointerType())

    def number(self, address: Any, index: Any) -> Any:
        return self.builder.load(self.pointer(address, index), align=self.bytes, typ=self.scalar)

    def load(self, address: Any, index: Any, mask: Any = None) -> Any:
        pointer = self.pointer(address, index)
        if mask is None:
            return self.builder.load(pointer, align=self.bytes, typ=self.vector)
        return self.call(f"llvm.masked.load.{self.name}.p0", self.vector, pointer, I32(self.bytes), mask, self.zero)

    def store(self, value: Any, address: Any, index: Any, mask: Any = None) -> None:
        pointer = self.pointer(address, index)
        if mask is None:
            self.builder.store(value, pointer, align=self.bytes)
        else:
            self.call(f"llvm.masked.store.{self.name}.p0", ir.VoidType(), value, pointer, I32(self.bytes), mask)

    def splat(self, number: Any) -> Any:
        return self._repeated(number, self.vector)

    def first(self, count: Any) -> Any:
        """The mask of the first `count` (int64) lanes."""
        places = ir.VectorType(I64, self.count)
        numbers = ir.Constant(places, list(range(self.count)))
        return self.builder.icmp_signed("<", numbers, self._repeated(count, places))

    def multiply_add(self, x: Any, y: Any, z: Any) -> Any:
        return self.call(f"llvm.fma.{self.name}", self.vector, x, y, z)

    def interleaved(self, x: Any, y: Any, upper: bool) -> Any:
        """x₀ y₀ x₁ y₁ ... from the lower or the upper half of the lanes."""
        start = self.count // 2 if upper else 0
        lanes = [start + i // 2 + self.count * (i % 2) for i in range(self.count)]
        return self.builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(I32, self.count), lanes))

    def call(self, name: str, result: Any, *arguments: Any) -> Any:
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), arguments)

    def _repeated(self, number: Any, kind: Any) -> Any:
        nothing = ir.Constant(kind, ir.Undefined)
        single = self.builder.insert_element(nothing, number, I32(0))
        return self.builder.shuffle_vector(single, nothing, ir.Constant(ir.VectorType(I32, kind.count), None))


class Fewer(Lanes):
    """Lanes for numbers of a dtype, as many as a register holds of a wider one."""

    def __init__(self, context: Any, builder: ir.IRBuilder, dtype: Any, count: int) -> None:
        super().__init__(context, builder, dtype)
        self.count = count
        self.vector = ir.VectorType(self.scalar, count)
        self.zero = ir.Constant(self.vector, [0.0] * count)
        self.name = f"v{count}f{dtype.bitwidth}"


@intrinsic
def itemsize(typing: Any, zero: Any) -> Any:
    """Bytes of one number."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return I64(zero.bitwidth // 8)

    return types.int64(zero), emit


@intrinsic
def lanes(typing: Any, zero: Any) -> Any:
    """Numbers in one register."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return I64(REGISTER_BYTES * 8 // zero.bitwidth)

    return types.int64(zero), emit


@intrinsic
def number_at(typing: Any, zero: Any, address: Any, index: Any) -> Any:
    """The number in place `index`."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return Lanes(context, builder, zero).number(*arguments[1:])

    return zero(zero, ADDRESS, types.int64), emit


@intrinsic
def put_at(typing: Any, number: Any, address: Any, index: Any) -> Any:
    """Write the number to place `index`."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number_, address_, index_ = arguments
        here = Lanes(context, builder, number)
        builder.store(number_, here.pointer(address_, index_), align=here.bytes)
        return context.get_dummy_value()

    return types.void(number, ADDRESS, types.int64), emit


def tile(rows: int, vectors: int, *, masked: bool) -> Any:
    """The intrinsic that computes C = D + X Y + Z W on a tile of `rows` rows and `vectors` registers.

    All sums stay in registers. It takes zero, n, width (columns in the last register, fewer than it holds only when
    `masked`), X, Y, both (n to add Z W, 0 to leave it out), Z, W, D (0 for nothing) and C: X and Z at the first row,
    Y and W at the first column, C and D at the first entry. C must not overlap the others.
    """

    @intrinsic
    def emit_tile(
        typing: Any, zero: Any, n: Any, width: Any, X: Any, Y: Any, both: Any, Z: Any, W: Any, D: Any, C: Any
    ) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, n, width, X, Y, both, Z, W, D, C = arguments
            here = Lanes(context, builder, zero)
            masks = [None] * (vectors - 1) + [here.first(width) if masked else None]
            row = [builder.mul(n, I64(r)) for r in range(rows)]
            column = [I64(v * here.count) for v in range(vectors)]
            sums = [[cgutils.alloca_once(builder, here.vector) for _ in column] for _ in row]
            given, alone = builder.icmp_signed("!=", D, I64(0)), builder.icmp_signed("==", both, I64(0))
            # In a derivative D is most of the sum, and added last it is rounded once, not n times. In a value the
            # identity is what comes last, and for the rest both orders are as good; the gallery prefers this one.
            with builder.if_else(builder.and_(given, alone)) as (then, otherwise):
                with then:
                    for r in range(rows):
                        for v in range(vectors):
                            builder.store(here.load(D, builder.add(row[r], column[v]), masks[v]), sums[r][v])
                with otherwise:
                    for r in range(rows):
                        for v in range(vectors):
                            builder.store(here.zero, sums[r][v])
            for length, left, right in ((n, X, Y), (both, Z, W)):
                with cgutils.for_range(builder, length) as loop:
                    below = builder.mul(loop.index, n)
                    rights = [here.load(right, builder.add(below, column[v]), masks[v]) for v in range(vectors)]
                    for r in range(rows):
                        factor = here.splat(here.number(left, builder.add(row[r], loop.index)))
                        for v in range(vectors):
                            total = here.multiply_add(factor, rights[v], builder.load(sums[r][v]))
                            builder.store(total, sums[r][v])
            with builder.if_then(builder.and_(given, builder.not_(alone))):
                for r in range(rows):
                    for v in range(vectors):
                        addend = here.load(D, builder.add(row[r], column[v]), masks[v])
                        builder.store(builder.fadd(builder.load(sums[r][v]), addend), sums[r][v])
            for r in range(rows):
                for v in range(vectors):
                    here.store(builder.load(sums[r][v]), C, builder.add(row[r], column[v]), masks[v])
            return context.get_dummy_value()

        return types.void(zero, *[types.int64] * 9), emit

    return emit_tile


def combination(rows: tuple[tuple[float, ...], ...]) -> Any:
    """The intrinsic that computes each row of coefficients applied to up to four inputs, in one pass.

    It takes zero, the count of numbers, four addresses to read and five to write, those not needed being anything.
    """

    @intrinsic
    def emit_combination(
        typing: Any, zero: Any, count: Any, a: Any, b: Any, c: Any, d: Any, p: Any, q: Any, r: Any, s: Any, t: Any
    ) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _, count, *addresses = arguments
            sources, targets = addresses[:4][: len(rows[0])], addresses[4:][: len(rows)]
            here = Lanes(context, builder, zero)

            def combine(index: Any, mask: Any) -> None:
                values = [here.load(source, index, mask) for source in sources]
                for coefficients, target in zip(rows, targets, strict=True):
                    total = here.zero
                    for coefficient, value in zip(coefficients, values, strict=True):
                        if coefficient:
                            total = here.multiply_add(here.splat(ir.Constant(here.scalar, coefficient)), value, total)
                    here.store(total, target, index, mask)

            over(here, count, combine)
            return context.get_dummy_value()

        return types.void(zero, *[types.int64] * 10), emit

    return emit_combination


@intrinsic
def scaled_copy(typing: Any, factor: Any, count: Any, source: Any, target: Any) -> Any:
    """target = factor · source for `count` numbers; they may be the same."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        factor_, count_, source_, target_ = arguments
        here = Lanes(context, builder, factor)
        factors = here.splat(factor_)

        def scale(index: Any, mask: Any) -> None:
            here.store(builder.fmul(here.load(source_, index, mask), factors), target_, index, mask)

        over(here, count_, scale)
        return context.get_dummy_value()

    return types.void(factor, *[types.int64] * 3), emit


@intrinsic
def converted(typing: Any, source_zero: Any, target_zero: Any, count: Any, source: Any, target: Any) -> Any:
    """target = source, which may have another dtype; the zeros carry the two."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, _, count_, source_, target_ = arguments
        wide = max(source_zero, target_zero, key=lambda dtype: int(dtype.bitwidth))
        here = Lanes(context, builder, wide)
        reader, writer = (Fewer(context, builder, dtype, here.count) for dtype in (source_zero, target_zero))
        convert = builder.fptrunc if wide is source_zero else builder.fpext

        def move(index: Any, mask: Any) -> None:
            numbers = reader.load(source_, index, mask)
            numbers = numbers if source_zero == target_zero else convert(numbers, writer.vector)
            writer.store(numbers, target_, index, mask)

        over(here, count_, move)
        return context.get_dummy_value()

    return types.void(source_zero, target_zero, types.int64, ADDRESS, ADDRESS), emit


@intrinsic
def largest_column_sum(typing: Any, zero: Any, n: Any, width: Any, A: Any) -> Any:
    """The largest of the sums of moduli of `width` columns, at most one register of them; NaN if one of them is."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, n_, width_, A_ = arguments
        here = Lanes(context, builder, zero)
        mask = here.first(width_)
        sums = cgutils.alloca_once_value(builder, here.zero)
        with cgutils.for_range(builder, n_) as loop:
            row = here.load(A_, builder.mul(loop.index, n_), mask)
            moduli = here.call(f"llvm.fabs.{here.name}", here.vector, row)
            builder.store(builder.fadd(builder.load(sums), moduli), sums)
        return here.call(f"llvm.vector.reduce.fmaximum.{here.name}", here.scalar, builder.load(sums))

    return zero(zero, *[types.int64] * 3), emit


@intrinsic
def zero_if_finite(typing: Any, zero: Any, count: Any, source: Any) -> Any:
    """0 if each of `count` numbers is finite, else NaN."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, count_, source_ = arguments
        here = Lanes(context, builder, zero)
        sums = [cgutils.alloca_once_value(builder, here.zero) for _ in range(4)]  # so that no sum waits for the last
        step = I64(len(sums) * here.count)
        full = builder.sub(count_, builder.srem(count_, step))

        def add(index: Any, mask: Any, total: Any) -> None:
            builder.store(here.multiply_add(here.load(source_, index, mask), here.zero, builder.load(total)), total)

        with cgutils.for_range_slice(builder, I64(0), full, step) as (index, _):
            for i, total in enumerate(sums):
                add(builder.add(index, I64(i * here.count)), None, total)
        over(here, builder.sub(count_, full), lambda index, mask: add(builder.add(full, index), mask, sums[0]))
        first, *others = map(builder.load, sums)
        for total in others:
            first = builder.fadd(first, total)
        return here.call(f"llvm.vector.reduce.fmaximum.{here.name}", here.scalar, first)

    return zero(zero, *[types.int64] * 2), emit


@intrinsic
def transposed_block(typing: Any, factor: Any, n: Any, rows: Any, columns: Any, source: Any, target: Any) -> Any:
    """target = factor · sourceᵀ for a block of at most one register of rows and columns."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        factor_, n_, rows_, columns_, source_, target_ = arguments
        here = Lanes(context, builder, factor)
        factors, none = here.splat(factor_), here.first(I64(0))
        across, down = here.first(columns_), here.first(rows_)
        places = [builder.mul(n_, I64(i)) for i in range(here.count)]

        def inside(i: int, count: Any, mask: Any) -> Any:
            return builder.select(builder.icmp_signed("<", I64(i), count), mask, none)

        block = [here.load(source_, places[i], inside(i, rows_, across)) for i in range(here.count)]
        half = here.count // 2
        for _ in range(here.count.bit_length() - 1):  # interleaving rows i and i + half, again and again, transposes
            block = [here.interleaved(block[i], block[i + half], upper) for i in range(half) for upper in (False, True)]
        for i in range(here.count):
            here.store(builder.fmul(block[i], factors), target_, places[i], inside(i, columns_, down))
        return context.get_dummy_value()

    return types.void(factor, *[types.int64] * 5), emit


def over(here: Lanes, count: Any, body: Any) -> None:
    """Emit `body` for every full register of `count` numbers, and for the masked rest."""
    builder, step = here.builder, I64(here.count)
    full = builder.sub(count, builder.srem(count, step))
    with cgutils.for_range_slice(builder, I64(0), full, step) as (index, _):
        body(index, None)
    with builder.if_then(builder.icmp_signed("<", full, count)):
        body(full, here.first(builder.sub(count, full)))
