"""Workbooks in Excel's two binary formats."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence

SPACE = "http://schemas.openxmlformats.org"

# A sheet `Objekte` as xlwt 1.3.0 writes it: ids in the formats 0.00, 00000, General, "A-"000, yyyy,
# 0000000000, 0.0 and 0000; the artist of the first two rows is merged.
XLS = zlib.decompress(
    base64.b85decode(
        rb"c-rk)Ur19?82`@Qc6aY}>NK@97&6GpOr~b}qD!HC%FLG{0^8b<xtwxag*}vIJ_bQg{dp0r)WGVcKNL}KJp@KQ2tlwF"
        rb"Jq1Bf(1UJ$=euX+<`o>2Qrz!yzVF=M_xtWS_nhzCbGFyBC5iF-RY}N^Hn2e|t%AG=V_4M8jT_LPPV;KUDp=B%{8OST"
        rb"IFYggo)o@v@;T)5odgN)*<YXr_<-dI3_;gmEL^>c(m{O)Fy4n&)C_JQQUsOMt5VX(NUtM(mzYmU?<V9D=~m<>*kPFU"
        rb"ch$CtEIuT8$yWsYxeqDk9U%=+4lj8YpS#Qqt^?ZjNZ`2TSQCfG?t%%x#Ow^m!aBd#;3hi3$Ax=uaj&<1yO-`&xD9rI"
        rb"VHA(O7$!jzRKZtZ3cqXMt0(R>=Vlyt$l>!PpbQtm1bk0d1ANPT?VeX#`0C;e5dV>lJD0%~TF6Ur6_dpb*Oqxs0j84~"
        rb"?!vS(!wWIP%<v*iGc&vxQ_c)`WA^3ZS0qf%5lA1UkKY)^w$NVeg#E$(a5NsChf~-wpn_>0(Br2E^=NM-gj;lEAkY`?"
        rb"J*h`zazswVam_T;_Yd`<Z4|ai*d4+)3%gU;UBb3-ix2Gy4+Ql<EEL!HIe_*Jch<g9NYmg#9m4MNdI^11-8ez>Q(xcg"
        rb"3wHZ^2^pcYf^nkQ#9tKBaGpnCa1nVl(zqm{mLj&1zCcgiNcAexW%xBfThm=GDtkwXbCJ9?*iIA4TmR-o^(|N*`+VS$"
        rb"XY8YYE7oT^lV{3i=KSN}#iR*gJikVvj@7YiSGhd)XDk!D&wJ99OLihfa*MvF#j&Xv7R39MkT&l4=&)aRk{Bx<&2pm8"
        rb"N*ZCMaJ|Vzd`8hW5zQ#NKtxL>(MIpSFoSQ*3?KDpv~-NNd900kk{xTKQTB+oY!vGdZP`uu94m)L!M77%7JP>ZpJNpu"
        rb"H%r8K5Z@{Iat_~y*}<{(SSFK+l-$8%WQtKljMJnIj%|QBF?vqotAekX@D-X_S-gWnd`<9Gn!9YiO8GdA`jeO)iLN%O"
        rb"6dv%w$1}-q(ZCW*EV0BAOV(Bx?S95di|^bHah7w6|8*9yq^!S5{#)sRLA>Jl<6{rR(CRRpSN>FhgJqt@Rv44{zmUs8"
        rb"Y+Z*a1gRg<yz>{&;%xEztT@p9=ax{u?WgkT=U;CBCstKd_y"
    )
)
XLS_IDS = ["1999.10", "00123", "7", "A-012", "1999", "12345678901", "1999.25", "0001", "042"]
# The place of the record with the numbers of rows and columns.
XLS_SIZE = XLS.index(struct.pack("<HHIIHHH", 0x200, 14, 0, 10, 0, 3, 0)) + 4


def xlsb(rows: Mapping[int, Sequence[bytes]], formats: Sequence[str], merged: bytes = b"") -> bytes:
    """A workbook of one sheet S1 with these cells by row ([MS-XLSB]); style n is `formats[n]`."""
    codes = [
        _record(44, struct.pack("<H", 200 + n) + _wide(code)) for n, code in enumerate(formats)
    ]
    styles = [_style(200 + n) for n in range(len(formats))]
    # The first style is one of named styles, which cells do not refer to.
    count = struct.pack("<I", len(styles))
    named = [_record(626, struct.pack("<I", 1)), _style(0), _record(627)]
    kinds = [*named, _record(617, count), *styles, _record(618)]
    codes = [_record(615, count), *codes, _record(616)]
    sheet = _record(156, struct.pack("<II", 0, 1) + _wide("r1") + _wide("S1"))
    book = _record(131) + _record(143) + sheet + _record(144) + _record(132)
    lines = [
        _record(0, struct.pack("<III", row, 0, 0) + bytes(9)) + b"".join(cells)
        for row, cells in rows.items()
    ]
    relation = f'<Relationships xmlns="{SPACE}/package/2006/relationships">{{}}</Relationships>'
    places = f"{SPACE}/officeDocument/2006/relationships"
    first = f'<Relationship Id="r1" Type="{places}/worksheet" Target="worksheets/s1.bin"/>'
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{SPACE}/package/2006/content-types"/>',
        "xl/workbook.bin": book,
        "xl/_rels/workbook.bin.rels": relation.format(first),
        "xl/styles.bin": _record(278) + b"".join([*codes, *kinds]) + _record(279),
        "xl/worksheets/s1.bin": b"".join(
            [
                _record(129),
                _record(148, bytes(16)),
                _record(145),
                *lines,
                _record(146),
                merged,
                _record(130),
            ]
        ),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def text(column: int, value: str) -> bytes:
    return _record(6, struct.pack("<II", column, 0) + _wide(value))


def number(column: int, value: float, style: int) -> bytes:
    return _record(5, struct.pack("<IId", column, style, value))


def short(column: int, value: int, style: int) -> bytes:
    """A whole number in 30 bits."""
    return _record(2, struct.pack("<IIi", column, style, value << 2 | 2))


def error(column: int) -> bytes:
    return _record(3, struct.pack("<IIB", column, 0, 42))


def merge(top: int, bottom: int, left: int, right: int) -> bytes:
    return _record(176, struct.pack("<4I", top, bottom, left, right))


def _style(number_format: int) -> bytes:
    return _record(47, struct.pack("<HH", 0xFFFF, number_format) + bytes(12))


def _wide(value: str) -> bytes:
    return struct.pack("<I", len(value)) + value.encode("utf-16-le")


def _record(kind: int, body: bytes = b"") -> bytes:
    head = bytes([kind] if kind < 128 else [kind & 0x7F | 0x80, kind >> 7])
    length, rest = bytearray(), len(body)
    while rest > 127:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    return head + bytes([*length, rest]) + body
