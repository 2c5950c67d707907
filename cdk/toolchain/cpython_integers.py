"""Edits to CPython's long integers: multiplication and division of the sizes that signatures are made of.

Verification of P-256 and P-384 multiplies numbers of 9 and 13 digits of 30 bits; CPython's loop takes 40
WebAssembly instructions for each pair of digits. With the number of digits known, and columns instead of
rows, it takes 10: a column's products are added up in 64 bits (at most 15 of less than 2^60), and carried
once. The other loops are unrolled. Signatures then cost two thirds; results are the same.

Numbers of one digit become text without the general algorithm, which divides 64-bit numbers and makes another
number to work in.
"""

_UNROLL = "#pragma clang loop unroll_count({})\n"

_BY_COLUMNS = """\
static inline __attribute__((always_inline)) void
mul_columns(digit *z, const digit *a, const digit *b, const int size)
{
    twodigits sum = 0;
#pragma clang loop unroll(full)
    for (int k = 0; k < 2 * size - 1; ++k) {
#pragma clang loop unroll(full)
        for (int i = k < size ? 0 : k - size + 1; i <= (k < size ? k : size - 1); ++i) {
            sum += (twodigits)a[i] * b[k - i];
        }
        z[k] = (digit)(sum & PyLong_MASK);
        sum >>= PyLong_SHIFT;
    }
    z[2 * size - 1] = (digit)sum;
}

/* Each product of two different digits occurs twice. */
static inline __attribute__((always_inline)) void
square_columns(digit *z, const digit *a, const int size)
{
    twodigits sum = 0;
#pragma clang loop unroll(full)
    for (int k = 0; k < 2 * size - 1; ++k) {
        twodigits half = 0;
#pragma clang loop unroll(full)
        for (int i = k < size ? 0 : k - size + 1; 2 * i < k; ++i) {
            half += (twodigits)a[i] * a[k - i];
        }
        sum += half << 1;
        if (k % 2 == 0) {
            sum += (twodigits)a[k / 2] * a[k / 2];
        }
        z[k] = (digit)(sum & PyLong_MASK);
        sum >>= PyLong_SHIFT;
    }
    z[2 * size - 1] = (digit)sum;
}

"""

_HEAD = """\
static PyLongObject *
x_mul(PyLongObject *a, PyLongObject *b)
{
"""

_CLEAR = """\
    memset(z->long_value.ob_digit, 0, _PyLong_DigitCount(z) * sizeof(digit));
    if (a == b) {
"""

_DISPATCH = """\
    if (size_a == size_b && (size_a == 13 || size_a == 9)) {
        const digit *da = a->long_value.ob_digit, *db = b->long_value.ob_digit;
        digit *dz = z->long_value.ob_digit;
        if (size_a == 13) {
            if (a == b) {
                square_columns(dz, da, 13);
            }
            else {
                mul_columns(dz, da, db, 13);
            }
        }
        else if (a == b) {
            square_columns(dz, da, 9);
        }
        else {
            mul_columns(dz, da, db, 9);
        }
        return long_normalize(z);
    }
"""

_SQUARE_LOOP = """\
            while (pa < paend) {
                carry += *pz + *pa++ * f;
"""
_PRODUCT_LOOP = """\
            while (pb < pbend) {
                carry += *pz + *pb++ * f;
"""
_REMAINDER_START = """\
        zhi = 0;
        for (i = 0; i < size_w; ++i) {
            /* invariants: -PyLong_BASE <= -q <= zhi <= 0;
"""
_REMAINDER_STEP = """\
            z = (sdigit)vk[i] + zhi -
                (stwodigits)q * (stwodigits)w0[i];
            vk[i] = (digit)z & PyLong_MASK;
            zhi = (sdigit)Py_ARITHMETIC_RIGHT_SHIFT(stwodigits,
                                                    z, PyLong_SHIFT);
        }
"""

_SMALL_TO_TEXT = """\
    if (_PyLong_IsCompact((PyLongObject *)aa)) {
        Py_ssize_t value = _PyLong_CompactValue((PyLongObject *)aa);
        uint32_t rest = (uint32_t)(value < 0 ? -value : value);
        if (value >= 0 && value < 10) return PyUnicode_FromOrdinal((int)('0' + rest));
        Py_ssize_t size = 1 + (value < 0);
        for (uint64_t power = 10; power <= rest; power *= 10) ++size;
        v = PyUnicode_New(size, 127);
        if (!v) return NULL;
        Py_UCS1 *text = PyUnicode_1BYTE_DATA(v);
        if (value < 0) *text = '-';
        Py_UCS1 *end = text + size;
        do {
            uint32_t tens = (uint32_t)(((uint64_t)rest * 0xcccccccdu) >> 35); /* rest / 10 */
            *--end = (Py_UCS1)('0' + (rest - 10 * tens));
            rest = tens;
        } while (rest);
        return v;
    }
"""
_DECIMAL = "    if (long_to_decimal_string_internal(aa, &v, NULL, NULL, NULL) == -1)\n"

FASTER_INTEGERS = (
    (_DECIMAL, _SMALL_TO_TEXT + _DECIMAL),
    (_HEAD, _BY_COLUMNS + _HEAD),
    (_CLEAR, _DISPATCH + _CLEAR),
    (_SQUARE_LOOP, _UNROLL.format(8) + _SQUARE_LOOP),
    (_PRODUCT_LOOP, _UNROLL.format(8) + _PRODUCT_LOOP),
    (
        _REMAINDER_START,
        "        stwodigits borrow = 0;\n" + _UNROLL.format(13) + _REMAINDER_START.split("\n", 1)[1],
    ),
    (
        _REMAINDER_STEP,
        _REMAINDER_STEP.replace("(sdigit)vk[i] + zhi", "(stwodigits)vk[i] + borrow")
        .replace("zhi = (sdigit)Py", "borrow = Py")
        .replace("        }\n", "        }\n        zhi = (sdigit)borrow;\n"),
    ),
)
_STR = """\
PyObject_Str(PyObject *v)
{
    PyObject *res;
"""
_INTEGER_FIRST = """\
    if (v && PyLong_CheckExact(v)) return Py_TYPE(v)->tp_repr(v); /* it neither recurses nor waits */
"""
FASTER_TEXT_OF_INTEGERS = ((_STR, _STR + _INTEGER_FIRST),)
