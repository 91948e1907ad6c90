"""AES-128 of the data upload (2.15): the document names neither mode nor padding; here ECB and zero bytes."""

from typing import Final


def _double(value: int) -> int:
    """Multiply by x in the field of AES."""
    return ((value << 1) ^ 0x11B) & 0xFF if value & 0x80 else value << 1


def _make_sbox() -> bytes:
    """The substitution table from its definition: inverse in the field, then the affine map."""
    power, logs = [1], {1: 0}
    for exponent in range(1, 255):
        power.append(power[-1] ^ _double(power[-1]))
        logs[power[-1]] = exponent
    table = bytearray()
    for value in range(256):
        inverse = power[(255 - logs[value]) % 255] if value else 0
        result = 0x63
        for shift in range(5):
            result ^= ((inverse << shift) | (inverse >> (8 - shift))) & 0xFF
        table.append(result)
    return bytes(table)


_SBOX: Final = _make_sbox()


def _expand(key: bytes) -> list[bytes]:
    """The eleven round keys."""
    words = [key[i : i + 4] for i in range(0, 16, 4)]
    constant = 1
    for index in range(4, 44):
        word = words[-1]
        if index % 4 == 0:
            word = bytes(_SBOX[b] for b in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = _double(constant)
        words.append(bytes(a ^ b for a, b in zip(word, words[-4], strict=True)))
    return [b"".join(words[i : i + 4]) for i in range(0, 44, 4)]


def _encrypt_block(block: bytes, keys: list[bytes]) -> bytes:
    """One block of 16 bytes."""
    state = bytes(a ^ b for a, b in zip(block, keys[0], strict=True))
    for number, key in enumerate(keys[1:], 1):
        state = bytes(_SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16))
        if number < 10:
            mixed = bytearray()
            for column in range(0, 16, 4):
                a = state[column : column + 4]
                every = a[0] ^ a[1] ^ a[2] ^ a[3]
                mixed += bytes(a[i] ^ every ^ _double(a[i] ^ a[(i + 1) % 4]) for i in range(4))
            state = bytes(mixed)
        state = bytes(a ^ b for a, b in zip(state, key, strict=True))
    return state


def encrypt(data: bytes, key: bytes) -> bytes:
    """Encrypt with a key of up to 16 bytes (filled with zero bytes)."""
    keys = _expand(key[:16].ljust(16, b"\0"))
    padded = data.ljust(max(16, -(-len(data) // 16) * 16), b"\0")
    return b"".join(_encrypt_block(padded[i : i + 16], keys) for i in range(0, len(padded), 16))
