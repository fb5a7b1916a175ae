use super::{PowBinding, PowVersion};
use crate::App;
use ipnet::IpNet;
use saltmine_protocol::Binding;
use std::net::IpAddr;

/// The prefix length of the network that a visitor's address stays in while they solve a challenge, in bits.
const IPV4_PREFIX: u8 = 24;
const IPV6_PREFIX: u8 = 56;

/// The purpose of a solution.
#[derive(Clone, Debug)]
pub(crate) struct Purpose {
    app_id: String,
    /// The version that the app requires.
    pub(crate) version: Option<PowVersion>,
    network: String,
}

impl Purpose {
    pub(crate) fn new(app: &App, address: IpAddr) -> Self {
        let version = app.web_client().ok().and_then(|web_client| web_client.pow_version);
        Self { app_id: app.id.clone(), version, network: network(address) }
    }

    /// Returns the binding of a challenge for this purpose.
    pub(crate) fn binding(&self, binding: PowBinding) -> Binding {
        let app = (binding != PowBinding::Off).then(|| self.app_id.clone());
        let address = (binding == PowBinding::AppAndAddress).then(|| self.network.clone());
        Binding { app, address }
    }

    /// Returns whether a challenge with this binding is valid for this purpose. A challenge without a binding is valid
    /// unless a binding is required.
    pub(crate) fn satisfies(&self, binding: &Binding, is_required: bool) -> bool {
        let is_for_app = binding.app.as_ref().map_or(!is_required, |app| *app == self.app_id);
        is_for_app && binding.address.as_ref().is_none_or(|address| *address == self.network)
    }
}

/// Returns the network of an address, such as `192.0.2.0/24`.
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
