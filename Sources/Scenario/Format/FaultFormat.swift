/// What breaks, in a file.
enum FaultFormat {
    struct LinkState: Sendable {
        enum State: String, CaseIterable, Sendable { case up, down }

        var port = ""
        var state = State.down
    }

    static let link = Shape<LinkState>.object(
        "link", "a link step",
        "Sets a port up or down, as ip link set does. Of a host's port set down at its switch or hypervisor (sw:lb, hv1:tap(lb)) the host only sees that its cable is out: addresses and routes stay.",
        blank: LinkState(),
        fields: [
            Field("port", \.port, Places.port, required: true, "The port."),
            Field("state", \.state, .word(), required: true, "up or down."),
        ])
}
