use super::{PowBinding, PowVersion};
use crate::App;
use ipnet::IpNet;
use saltmine_protocol::Binding;
use std::net::IpAddr;

/// The network that a visitor stays in while they solve a challenge, in bits.
const IPV4_PREFIX: u8 = 24;
const IPV6_PREFIX: u8 = 56;

/// What a solution is sent for.
#[derive(Clone, Debug)]
pub(crate) struct Purpose {
    app_id: String,
    /// The version that the app wants.
    pub(crate) version: Option<PowVersion>,
    network: String,
}

impl Purpose {
    pub(crate) fn new(app: &App, address: IpAddr) -> Self {
        let version = app.web_client().ok().and_then(|web_client| web_client.pow_version);
        Self { app_id: app.id.clone(), version, network: network(address) }
    }

    /// What a challenge for this purpose is bound to.
    pub(crate) fn binding(&self, binding: PowBinding) -> Binding {
        let app = (binding != PowBinding::Off).then(|| self.app_id.clone());
        let address = (binding == PowBinding::AppAndAddress).then(|| self.network.clone());
        Binding { app, address }
    }

    /// Whether a challenge with this binding was issued for this purpose. A challenge that is bound to nothing is, unless
    /// it must be bound.
    pub(crate) fn satisfies(&self, binding: &Binding, is_required: bool) -> bool {
        let is_for_app = binding.app.as_ref().map_or(!is_required, |app| *app == self.app_id);
        is_for_app && binding.address.as_ref().is_none_or(|address| *address == self.network)
    }
}

/// The network of an address, such as `192.0.2.0/24`.
fn network(address: IpAddr) -> String {
    let address = address.to_canonical();
    let bits = if address.is_ipv4() { IPV4_PREFIX } else { IPV6_PREFIX };
    IpNet::new(address, bits).map_or_else(|_| address.to_string(), |network| network.trunc().to_string())
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn neighbours_share_a_network() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.0/24"),
            ("::ffff:192.0.2.200", "192.0.2.0/24"),
            ("2001:db8:1:2ff:3:4:5:6", "2001:db8:1:200::/56"),
            ("::1", "::/56"),
        ] {
            assert_eq!(network(address.parse().unwrap()), expected, "{address}");
        }
    }
}
