internal import Scenario

/// What breaks, in a file.
enum FaultFormat {
    struct LinkState: Sendable {
        enum State: String, CaseIterable, Sendable { case up, down }

        var port = ""
        var state = State.down
    }

    static let link = Shape<LinkState>.object(
        "link", "a link step",
        "A port up or down, as ip link set makes it. Down at the switch (sw:lb), the host's cable is out, and no more.",
        blank: LinkState(),
        fields: [
            Field("port", \.port, Places.port, required: true, "The port."),
            Field("state", \.state, .word(), required: true, "up or down."),
        ])
}
