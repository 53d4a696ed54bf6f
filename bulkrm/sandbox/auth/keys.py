"""The signing key of the token server, and certificates for loopback.

A token carries its certificate in the header `x5c`. distribution 2.8.2 trusts it if its `rootcertbundle` holds that
certificate (registry/auth/token/token.go, `verifyCertChain`), and 3.x does the same.
"""

import base64
import datetime as dt
import ipaddress
import json
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Self

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bulkrm.model.valueclass import valueclass

_VALID = dt.timedelta(days=365)
_LOOPBACK = "127.0.0.1"


@valueclass
class SigningKey:
    """An ES256 key with a self-signed certificate. A registry has to trust `bundle_pem`."""

    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate

    @classmethod
    def generate(cls) -> Self:
        """Return a new key and certificate."""
        return cls(*_self_signed("bulkrm sandbox token server"))

    @property
    def bundle_pem(self) -> bytes:
        """The certificate in PEM, for the registry's setting `rootcertbundle`."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def sign(self, claims: Mapping[str, object]) -> str:
        """Return the claims as a signed JWT."""
        chain = [base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()]
        return jwt.encode(dict(claims), self.key, algorithm="ES256", headers={"x5c": chain})

    def verify(self, token: str) -> Mapping[str, object] | None:
        """Return the claims if the signature is this key's, else None; the caller checks audience, issuer and times."""
        try:
            payload = jwt.PyJWS().decode(token, self.key.public_key(), algorithms=["ES256"])
        except jwt.InvalidTokenError:
            return None
        claims = json.loads(payload)
        return claims if isinstance(claims, dict) else None


@valueclass
class ServerCertificate:
    """A self-signed certificate for 127.0.0.1 and localhost, in PEM."""

    certificate_pem: bytes
    key_pem: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Return a new key and certificate."""
        key, certificate = _self_signed("localhost")
        return cls(
            certificate.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )

    def context(self) -> ssl.SSLContext:
        """Return a TLS context for a server. It uses a temporary file: the standard library reads certificates from files."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            both = Path(folder, "server.pem")
            both.write_bytes(self.key_pem + self.certificate_pem)
            context.load_cert_chain(both)
        return context


def _self_signed(name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(_LOOPBACK))],
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    return key, builder.sign(key, hashes.SHA256())
